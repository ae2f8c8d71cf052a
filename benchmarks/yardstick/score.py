"""What a trained pipeline finds in the dev part, as it is and in other case."""

from collections.abc import Sequence
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_elmo_ner.comparison.breakdowns import SEEN, UNSEEN, seen_unseen
from spacy_elmo_ner.comparison.corpora import Annotation, entities_of, entity_words, from_doc
from spacy_elmo_ner.comparison.metrics import scorer_ents
from spacy_elmo_ner.corpus.case_augmenter import recased_doc
from spacy_elmo_ner.corpus.docs import blank_copy

# The text as it is, and in each case that people write.
CASES = ("clean", "lower", "upper", "title")


def scores(
    nlp: Language, dev: Sequence[Doc], train: Sequence[Doc], cases: Sequence[str] = CASES
) -> dict[str, Any]:
    """Score on gold tokens; fractions in [0, 1] by Scorer's ents_f, and exact matches by part.

    "seen" and "unseen" are of the clean text: entities whose words are an entity in the training
    part, and the others.
    """
    found: dict[str, Any] = {}
    for case in cases:
        gold = [doc if case == "clean" else recased_doc(doc, case) for doc in dev]
        predicted = list(nlp.pipe([blank_copy(doc, nlp.vocab) for doc in gold]))
        examples = (Example(guess, truth) for guess, truth in zip(predicted, gold, strict=True))
        score = scorer_ents(examples)
        found[case] = score.f1
        if case == "clean":
            found["precision"], found["recall"] = score.precision, score.recall
            found |= _by_part(gold, predicted, train)
    return found


def _by_part(gold: Sequence[Doc], predicted: Sequence[Doc], train: Sequence[Doc]) -> dict[str, Any]:
    seen: set[tuple[str, ...]] = set()
    for doc in train:
        seen.update(entity_words([token.text for token in doc], entities_of(doc)))
    pairs = [(from_doc(truth), _read(guess)) for truth, guess in zip(gold, predicted, strict=True)]
    parts = seen_unseen(pairs, seen)
    return {
        "seen": parts[SEEN].f1,
        "unseen": parts[UNSEEN].f1,
        "n_seen": parts[SEEN].support,
        "n_unseen": parts[UNSEEN].support,
    }


def _read(doc: Doc) -> Annotation:
    """A predicted Doc; without entities it is one where none was found."""
    return Annotation([token.text for token in doc], entities_of(doc), None)
