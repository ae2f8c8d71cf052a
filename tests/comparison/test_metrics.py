import sys
import warnings

import pytest
from seqeval.metrics import accuracy_score, f1_score, precision_score, recall_score
from seqeval.scheme import IOB2
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_elmo_ner.comparison import metrics
from spacy_elmo_ner.comparison.corpora import UNMAPPED_TAG, Annotation, from_doc
from spacy_elmo_ner.comparison.metrics import ner_scores, padded_tag_score, tag_accuracy, tag_scores
from spacy_elmo_ner.comparison.results import Score
from spacy_elmo_ner.decoding import spans_to_bio

GOLD = [
    ["B-per", "I-per", "O", "B-geo", "O"],
    ["B-org", "O", "B-geo", "I-geo", "I-geo"],
    ["O", "O", "O", "O", "O"],
]
PREDICTED = [
    ["O", "B-per", "O", "B-geo", "O"],
    ["B-geo", "O", "B-geo", "I-geo", "I-geo"],
    ["O", "B-tim", "O", "O", "O"],
]


VOCAB = Vocab()


def docs(sequences: list[list[str]]) -> list[Doc]:
    return [Doc(VOCAB, words=list("abcde"), ents=bio) for bio in sequences]


def scores() -> dict[str, Score]:
    gold, predicted = docs(GOLD), docs(PREDICTED)
    return ner_scores(gold, [from_doc(d) for d in gold], [from_doc(d) for d in predicted])


def test_bio_and_spans_are_two_ways_to_say_the_same():
    for doc, bio in zip(docs(GOLD), GOLD, strict=True):
        assert spans_to_bio(len(doc), from_doc(doc).entities or ()) == bio


def test_default_figures_are_seqevals_own():
    score = scores()["seqeval_default"]
    assert score.precision == pytest.approx(precision_score(GOLD, PREDICTED))
    assert score.recall == pytest.approx(recall_score(GOLD, PREDICTED))
    assert score.f1 == pytest.approx(f1_score(GOLD, PREDICTED)) == pytest.approx(4 / 9)
    assert score.support == 4
    assert {label: each.support for label, each in score.per_type.items()} == {
        "geo": 2,
        "org": 1,
        "per": 1,
        "tim": 0,
    }
    assert score.per_type["geo"].recall == 1.0
    assert score.per_type["geo"].precision == pytest.approx(2 / 3)


def test_strict_figures_are_seqevals_own():
    score = scores()["seqeval_strict_iob2"]
    assert score.f1 == pytest.approx(f1_score(GOLD, PREDICTED, mode="strict", scheme=IOB2))


def test_an_entity_no_b_opens_counts_by_default_and_not_in_strict_mode():
    gold, orphan = [["B-geo", "O"]], [["I-geo", "O"]]
    assert metrics.seqeval_default(gold, orphan).f1 == 1.0
    assert metrics.seqeval_strict(gold, orphan).f1 == 0.0


def test_scorer_figures_are_spacys_own():
    examples = [Example(p, g) for g, p in zip(docs(GOLD), docs(PREDICTED), strict=True)]
    own = Scorer.score_spans(examples, "ents")
    score = scores()["spacy_scorer_ents"]
    assert (score.precision, score.recall, score.f1) == (
        own["ents_p"],
        own["ents_r"],
        own["ents_f"],
    )
    for label, row in own["ents_per_type"].items():
        assert score.per_type[label].f1 == row["f"]


needs_nervaluate = pytest.mark.skipif(
    not metrics.HAS_NERVALUATE, reason="nervaluate needs Python 3.11"
)


def test_without_nervaluate_its_scores_are_left_out(monkeypatch):
    monkeypatch.setattr(metrics, "HAS_NERVALUATE", False)
    monkeypatch.setitem(sys.modules, "nervaluate", None)
    found = scores()
    assert metrics.SCORER in found
    assert not any(mode.startswith("nervaluate") for mode in found)
    metrics.check_extras()


@needs_nervaluate
def test_nervaluate_modes_differ_as_they_should():
    found = scores()
    # One entity with a wrong boundary, one with a wrong type, one from nowhere, two right.
    assert found["nervaluate_strict"].f1 == pytest.approx(2 * 2 / 9)
    assert found["nervaluate_exact"].f1 == pytest.approx(2 * 3 / 9)
    assert found["nervaluate_partial"].f1 == pytest.approx(2 * 3.5 / 9)
    assert found["nervaluate_type"].f1 == pytest.approx(2 * 3 / 9)
    assert found["nervaluate_type"].per_type["geo"].support == 2


def test_seen_and_unseen_parts_add_up_to_the_whole():
    gold, predicted = docs(GOLD), docs(PREDICTED)
    found = ner_scores(
        gold,
        [from_doc(d) for d in gold],
        [from_doc(d) for d in predicted],
        train_entities={("d",), ("a",)},
    )
    seen, unseen = found["exact_seen_in_train"], found["exact_unseen_in_train"]
    # Seen: geo "d" is found, org "a" is called geo. Unseen: geo "c d e" of per "a b", geo "c d e".
    assert (seen.support, unseen.support) == (2, 2)
    assert seen.recall == 0.5
    assert unseen.recall == 0.5
    assert unseen.precision == pytest.approx(1 / 3)


def test_texts_without_entities_score_but_a_corpus_without_any_has_nothing_to_score():
    gold, predicted = docs([["O"] * 5]), docs([["O"] * 5])
    assert ner_scores(gold, [from_doc(d) for d in gold], [from_doc(d) for d in predicted]) == {}
    spurious = docs([["B-geo", "O", "O", "O", "O"]])
    found = ner_scores(gold, [from_doc(d) for d in gold], [from_doc(d) for d in spurious])
    assert {score.f1 for score in found.values()} == {0.0}


def test_texts_whose_gold_has_no_entity_layer_are_left_out():
    vocab = Vocab()
    unannotated = Doc(vocab, words=list("abcde"), tags=["X"] * 5)
    gold = [*docs(GOLD), unannotated]
    predicted = [from_doc(d) for d in docs([*PREDICTED, ["B-geo", "O", "O", "O", "O"]])]
    found = ner_scores(gold, [from_doc(d) for d in gold], predicted)
    assert found["seqeval_default"].f1 == pytest.approx(f1_score(GOLD, PREDICTED))


def test_tag_accuracy_counts_real_words_with_a_gold_tag():
    words = ["The", "\n", "cat", "sat"]
    gold = Annotation(words, None, ["DT", "_SP", "NN", ""])
    score = tag_accuracy([(gold, Annotation(words, None, ["DT", "NN", "VB", "VBD"]))])
    assert (score.f1, score.support) == (0.5, 2)
    assert score.per_type["DT"].f1 == 1.0
    tags, guesses = ["DT", "NN", "VBD"], ["DT", "NN", "NN"]
    words = ["a", "b", "c"]
    pair = Annotation(words, None, tags), Annotation(words, None, guesses)
    accuracy = tag_accuracy([pair]).f1
    assert accuracy == pytest.approx(accuracy_score([tags], [guesses]))


def test_padded_tag_score_is_seqeval_on_fifty_tags():
    gold, guess = ["NNP", "NNP", "VBD", "."], ["NNP", "NN", "VBD", "."]
    long_gold, long_guess = ["DT", "NN"] * 30, ["DT", "NN"] * 25 + ["DT", "VB"] * 5

    def pad(tags: list[str]) -> list[str]:
        return (tags + ["."] * 50)[:50]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = f1_score([pad(gold), pad(long_gold)], [pad(guess), pad(long_guess)])
    score = padded_tag_score([(gold, guess), (long_gold, long_guess)])
    assert score.f1 == pytest.approx(expected)
    # Two chunks in the short sentence, fifty in the long one; what is cut cannot be wrong.
    assert score.support == 52


def test_unmapped_tags_are_wrong_in_every_tag_metric():
    gold = [Annotation(["a", "b"], None, ["NN", "."])]
    predicted = [Annotation(["a", "b"], None, ["NN", UNMAPPED_TAG])]
    found = tag_scores(gold, predicted)
    assert found["accuracy_real_tokens"].f1 == 0.5
    assert found["seqeval_default_padded_to_50"].precision == 0.5


def test_no_tags_no_tag_scores():
    gold = [Annotation(["a"], None, ["NN"])]
    assert tag_scores(gold, [Annotation(["a"], [], None)]) == {}


@pytest.mark.parametrize("package", ["seqeval", pytest.param("nervaluate", marks=needs_nervaluate)])
def test_a_missing_extra_names_the_command_that_installs_it(monkeypatch, package):
    for module in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"EL303.*{package}.*spacy-elmo-ner\[project\]"):
        metrics.check_extras()
