"""What a span or token was given arrives with it, or is gone; it is never shown for another."""

import time
import warnings

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span, SpanGroup, Token

from spacy_elmo_ner.comparison.predict import entity_confidence, tag_confidence
from spacy_elmo_ner.decoding import Decoded, EntitySpan
from spacy_elmo_ner.pipeline.confidence import (
    TAGS,
    decoded_entities,
    give_entities,
    give_tags,
    register_entities,
    write_span_group,
)

NLP = spacy.blank("en")
WORDS = ["Today", "President", "George", "Bush", "visited", "New", "Paris", "and", "Rome", "."]
FOUND = [EntitySpan(1, 4, "per", 0.9), EntitySpan(5, 7, "geo", 0.8), EntitySpan(8, 9, "geo", 0.7)]
OTHERS = [EntitySpan(2, 4, "per", 0.2), EntitySpan(6, 7, "org", 0.1)]
TAG_SCORES = [round(0.5 + i / 100, 2) for i in range(len(WORDS))]


@pytest.fixture
def doc():
    """A Doc as `elmo_tagger` and `elmo_ner` leave it."""
    register_entities(), TAGS.register()
    doc = Doc(NLP.vocab, words=WORDS, tags=[f"T{i % 3}" for i in range(len(WORDS))])
    doc.set_ents([Span(doc, *one[:3]) for one in FOUND], default="outside")
    give_tags(doc, [token.tag_ for token in doc], TAG_SCORES)
    give_entities(doc, "elmo_ner", Decoded(FOUND, OTHERS))
    write_span_group(doc)
    return doc


def confidences(doc):
    return {ent.text: score(ent._.confidence) for ent in doc.ents}


def score(value):
    return None if value is None else round(value, 4)


EXPECTED = {"President George Bush": 0.9, "New Paris": 0.8, "Rome": 0.7}


def copied(doc):
    return doc.copy()


def as_bytes(doc):
    return Doc(NLP.vocab).from_bytes(doc.to_bytes())


def docbin(doc):
    stored = DocBin(docs=[doc], store_user_data=True).to_bytes()
    return next(DocBin().from_bytes(stored).get_docs(NLP.vocab))


def docbin_without_user_data(doc):
    return next(DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(NLP.vocab))


def json(doc):
    names = ["confidence", "elmo_ner", "tag_confidence"]
    return Doc(NLP.vocab).from_json(doc.to_json(underscore=names))


def plain_json(doc):
    return Doc(NLP.vocab).from_json(doc.to_json())


def as_doc(doc):
    return doc[:].as_doc(copy_user_data=True)


def joined(doc):
    return Doc.from_docs([doc])


def unchanged(doc):
    return doc


WITH_ALL = [unchanged, copied, as_bytes, docbin, json, as_doc, joined]


@pytest.mark.parametrize("way", WITH_ALL)
def test_scores_arrive_on_every_way_that_takes_user_data(doc, way):
    found = way(doc)
    assert confidences(found) == EXPECTED
    assert [token._.tag_confidence for token in found] == TAG_SCORES
    assert [one[:3] for one in decoded_entities(found).alternatives] == [o[:3] for o in OTHERS]


def test_scores_of_spans_arrive_in_a_docbin_without_user_data(doc):
    found = docbin_without_user_data(doc)
    assert confidences(found) == EXPECTED
    assert [token._.tag_confidence for token in found] == [None] * len(WORDS)
    assert [score(one.probability) for one in decoded_entities(found).entities] == [0.9, 0.8, 0.7]


def test_json_without_extensions_and_spans_of_a_user_leave_no_score(doc):
    found = plain_json(doc)
    assert set(confidences(found).values()) == {None}
    assert decoded_entities(found) == ([], [])
    fresh = Doc(NLP.vocab, words=WORDS)
    fresh.spans["elmo_ner"] = [Span(fresh, 0, 1, "per")]
    assert fresh.spans["elmo_ner"][0]._.confidence is None
    assert decoded_entities(fresh) == ([], [])


@pytest.mark.parametrize(
    ("way", "first"),
    [
        *((way, True) for way in WITH_ALL),
        (copied, False),
        (as_bytes, False),
        (docbin, False),
        (as_doc, False),
        (joined, False),
    ],
)
def test_merged_entities_keep_their_scores(doc, way, first):
    found = merged(way(doc)) if first else way(merged(doc))
    assert confidences(found) == EXPECTED
    tags = {token.text: token._.tag_confidence for token in found}
    assert tags["President George Bush"] is None and tags["New Paris"] is None
    assert (tags["Today"], tags["visited"], tags["Rome"]) == (0.5, 0.54, 0.58)
    assert [one[:3] for one in decoded_entities(found).entities] == [
        (1, 2, "per"),
        (3, 4, "geo"),
        (5, 6, "geo"),
    ]
    assert decoded_entities(found).alternatives == []


def test_json_of_merged_entities_keeps_their_scores(doc):
    names = ["confidence", "tag_confidence"]
    found = Doc(NLP.vocab).from_json(merged(doc).to_json(underscore=names))
    assert confidences(found) == EXPECTED and found[2]._.tag_confidence == 0.54


def merged(doc):
    with doc.retokenize() as retokenizer:
        for ent in doc.ents:
            retokenizer.merge(ent)
    return doc


def test_the_span_group_follows_merged_tokens_and_can_be_stored(doc):
    merged(doc)
    for one in (doc, doc.copy(), as_bytes(doc)):
        group = one.spans["elmo_ner"]
        assert [span.text for span in group] == list(EXPECTED)
        np.testing.assert_allclose(group.attrs["scores"], [0.9, 0.8, 0.7], atol=1e-6)
        assert len(group) == 3 and group[-1].text == "Rome"
    found = docbin_without_user_data(doc)
    assert [span.text for span in found.spans["elmo_ner"]] == list(EXPECTED)


def test_split_tokens_keep_what_stays_whole(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[8], ["Ro", "me"], heads=[(doc[8], 1), doc[7]])
        retokenizer.split(doc[0], ["To", "day"], heads=[(doc[0], 1), doc[4]])
    assert doc.ents[1].text == "New Paris" and score(doc.ents[1]._.confidence) == 0.8
    assert score(Span(doc, 9, 11, "geo")._.confidence) == 0.7
    assert doc[9]._.tag_confidence is None and doc[0]._.tag_confidence is None
    assert doc[2]._.tag_confidence == 0.51
    assert [span.text for span in doc.spans["elmo_ner"]][:3] == list(EXPECTED)


def test_a_merge_and_a_split_that_keep_the_number_of_tokens_move_no_score(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
        retokenizer.split(doc[8], ["Ro", "me"], heads=[(doc[8], 1), doc[7]])
    assert len(doc) == len(WORDS)
    assert Span(doc, 0, 3, "per")._.confidence is None
    # "George Bush" is an entity now; it was scored as one that is less probable.
    found = [(one.label, score(one.probability)) for one in decoded_entities(doc).entities]
    assert found == [("per", 0.2), ("geo", 0.8), ("geo", 0.7)]
    texts = [span.text for span in doc.spans["elmo_ner"]]
    assert texts == ["New Paris", "Rome", "George Bush", "Paris"]


def test_joined_docs_keep_both_and_print_no_user_data(doc):
    other = doc.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Doc.from_docs([doc, other])
    assert [score(ent._.confidence) for ent in found.ents] == [0.9, 0.8, 0.7] * 2
    assert [token._.tag_confidence for token in found] == TAG_SCORES * 2
    assert len(decoded_entities(found).entities) == 6


def test_a_part_of_a_doc_keeps_its_own(doc):
    part = doc[4:9].as_doc(copy_user_data=True)
    assert confidences(part) == {"New Paris": 0.8, "Rome": 0.7}
    assert [token._.tag_confidence for token in part] == TAG_SCORES[4:9]
    assert set(confidences(doc[4:9].as_doc()).values()) == {None}


def test_another_label_or_tag_has_no_score(doc):
    doc.ents = [Span(doc, 1, 4, "org"), *doc.ents[1:]]
    doc[0].tag_ = "XX"
    assert doc.ents[0]._.confidence is None and score(doc.ents[1]._.confidence) == 0.8
    assert doc[0]._.tag_confidence is None and doc[1]._.tag_confidence == 0.51


def test_a_cut_or_joined_doc_does_not_share_what_is_given_later(doc):
    other = Doc.from_docs([doc])
    give_entities(other, "elmo_ner", Decoded([], []))
    assert confidences(doc) == EXPECTED and set(confidences(other).values()) == {None}


def test_each_confidence_takes_the_same_time_in_a_long_doc():
    register_entities()

    def seconds(n):
        doc = Doc(NLP.vocab, words=["Paris", "and"] * n)
        spans = [EntitySpan(2 * i, 2 * i + 1, "geo", 0.5) for i in range(n)]
        doc.set_ents([Span(doc, *one[:3]) for one in spans])
        give_entities(doc, "elmo_ner", Decoded(spans, []))
        ents = doc.ents
        assert [ent._.confidence for ent in ents] == [0.5] * n
        return min(timed(ents) for _ in range(9)) / n

    def timed(ents):
        start = time.thread_time()
        for ent in ents:
            assert ent._.confidence == 0.5
        return time.thread_time() - start

    assert seconds(4000) < 10 * seconds(200)  # one by one through all, it would be 20 times


# ---- in a pipeline -----------------------------------------------------------------------


def test_two_recognizers_each_keep_their_scores(make_nlp):
    nlp = make_nlp("elmo_ner", steps=120)
    alone = nlp("Mary Smith left Paris")
    both = spacy.blank("en")
    both.add_pipe("elmo_ner", source=make_nlp("elmo_ner", steps=120), name="persons")
    both.add_pipe("elmo_ner", source=nlp, name="places")
    persons, places = both.get_pipe("persons"), both.get_pipe("places")
    doc = both.make_doc("Mary Smith left Paris")
    # The first finds Paris only: the other tokens are blocked, then set free for the second.
    doc.set_ents([], blocked=[doc[0:3]])
    persons(doc)
    doc.set_ents(list(doc.ents), missing=[doc[0:3]])
    places(doc)
    assert [ent.text for ent in doc.ents] == ["Mary Smith", "Paris"]
    assert None not in [ent._.confidence for ent in doc.ents]
    group = doc.spans["elmo_ner"]
    assert group.attrs["pipes"][:2] == ["places", "persons"]
    assert len(group) == len(group.attrs["scores"])
    assert alone.ents[1].text == "Paris"
    # A second time each finds its own again, now beside an entity and not a blocked token.
    before = [ent._.confidence for ent in doc.ents]
    places(persons(doc))
    assert [ent._.confidence for ent in doc.ents] == pytest.approx(before, abs=0.01)


def test_run_again_on_a_doc_it_finds_the_same(make_nlp):
    nlp = make_nlp("elmo_tagger", "elmo_ner", steps=120)
    doc = nlp("Mary Smith left Paris")
    before = [(e.text, e.label_, e._.confidence) for e in doc.ents]
    assert len(before) == 2
    again = nlp(doc)
    assert [(e.text, e.label_, e._.confidence) for e in again.ents] == before


def test_blocked_tokens_stay_blocked_and_out_of_every_reading(make_nlp):
    nlp = make_nlp("elmo_ner", steps=120)
    pipe = nlp.get_pipe("elmo_ner")
    for overwrite in (False, True):
        pipe.cfg["overwrite"] = overwrite
        doc = nlp.make_doc("Mary Smith left Paris")
        doc.set_ents([], blocked=[doc[3:4]])
        (readings,) = pipe.n_best([doc], n=10)
        assert all(one.end <= 3 for reading in readings for one in reading.entities)
        doc = nlp(doc)
        assert [ent.text for ent in doc.ents] == ["Mary Smith"]
        assert (doc[3].ent_iob_, doc[3].ent_type_) == ("B", "")
        assert doc[2].ent_iob_ == "O"
        assert [ent.text for ent in nlp(doc).ents] == ["Mary Smith"]


def test_merged_entities_survive_the_way_to_another_process(make_nlp):
    nlp = make_nlp("elmo_tagger", "elmo_ner", steps=120)
    nlp.add_pipe("merge_entities")
    texts = ["Mary Smith left Paris", "President John Smith met Reuters in Paris ."] * 2
    alone = [confidences(doc) for doc in nlp.pipe(texts)]
    assert [confidences(doc) for doc in nlp.pipe(texts, n_process=2, batch_size=1)] == alone
    assert alone[0].keys() == {"Mary Smith", "Paris"} and None not in alone[0].values()


@pytest.fixture
def taken():
    """Other code has registered both names, and gives them values."""
    before = {}
    for owner, name in ((Span, "confidence"), (Token, "tag_confidence")):
        before[owner, name] = owner.get_extension(name) if owner.has_extension(name) else None
        owner.set_extension(name, default=None, force=True)
    yield
    for (owner, name), was in before.items():
        owner.remove_extension(name)
        owner.remove_extension(f"elmo_{name}")
        if was is not None:
            owner.set_extension(name, getter=was[2])


def test_names_that_exist_already_are_left_alone_and_said(taken, make_nlp):
    with pytest.warns(UserWarning, match=r"WL102.*Span\._\.confidence.*Span\._\.elmo_confidence"):
        nlp = make_nlp("elmo_tagger", "elmo_ner", steps=120)
    doc = nlp("Mary Smith left Paris")
    assert [ent._.confidence for ent in doc.ents] == [None, None]
    assert all(0.5 < ent._.elmo_confidence <= 1 for ent in doc.ents)
    assert doc[0]._.tag_confidence is None and doc[0]._.elmo_tag_confidence > 0.5
    doc.ents[0]._.confidence = 0.1
    assert doc.ents[0]._.elmo_confidence > 0.5 and doc.ents[0]._.confidence == 0.1


def test_compare_reads_our_probabilities_beside_anothers_of_that_name(taken, make_nlp):
    with pytest.warns(UserWarning, match="WL102"):
        nlp = make_nlp("elmo_tagger", "elmo_ner", steps=120)
    doc = nlp("Mary Smith left Paris")
    doc.ents[0]._.confidence = 0.1
    expected = {(ent.start, ent.end): ent._.elmo_confidence for ent in doc.ents}
    assert entity_confidence(doc) == expected and min(expected.values()) > 0.5
    assert list(tag_confidence(doc)) == [token._.elmo_tag_confidence for token in doc]


def test_a_group_that_a_user_changes_is_still_read(doc):
    doc.spans["elmo_ner"].append(Span(doc, 0, 1, "tim"))
    assert doc.spans["elmo_ner"][5]._.confidence is None
    assert confidences(doc) == EXPECTED
    doc.spans["elmo_ner"] = SpanGroup(doc, spans=[Span(doc, 0, 1, "tim")], attrs={"scores": [1, 2]})
    assert confidences(doc) == EXPECTED


# ---- groups that users change ------------------------------------------------------------


def rows_of(doc):
    group = doc.spans["elmo_ner"]
    assert len(group) == len(group.attrs["scores"]) == len(group.attrs["pipes"])
    return {
        (span.text, span.label_): None if np.isnan(each) else score(float(each))
        for span, each in zip(group, group.attrs["scores"], strict=True)
    }


ROWS = {
    ("President George Bush", "per"): 0.9,
    ("New Paris", "geo"): 0.8,
    ("Rome", "geo"): 0.7,
    ("George Bush", "per"): 0.2,
    ("Paris", "org"): 0.1,
}
USERS = ("Today", "tim")


def without(*keys):
    return {key: value for key, value in ROWS.items() if key not in keys}


CHANGES = {
    "append": (lambda group, span: group.append(span), {**ROWS, USERS: None}),
    "extend": (lambda group, span: group.extend([span]), {**ROWS, USERS: None}),
    "replace": (
        lambda group, span: group.__setitem__(1, span),
        {**without(("New Paris", "geo")), USERS: None},
    ),
    "delete": (lambda group, span: group.__delitem__(0), without(("President George Bush", "per"))),
    "delete last": (lambda group, span: group.__delitem__(-1), without(("Paris", "org"))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_entries_follow_spans_that_a_user_adds_replaces_or_deletes(doc, change):
    apply, expected = CHANGES[change]
    apply(doc.spans["elmo_ner"], Span(doc, 0, 1, "tim"))
    for way in (unchanged, copied, as_bytes, docbin_without_user_data):
        assert rows_of(way(doc)) == expected
    found = docbin_without_user_data(doc)
    assert [score(span._.confidence) for span in found.spans["elmo_ner"]] == list(
        rows_of(found).values()
    )
    merged(doc)
    gone = {("George Bush", "per"), ("Paris", "org")}
    assert rows_of(doc) == {key: value for key, value in expected.items() if key not in gone}


def test_joined_groups_keep_the_scores_of_the_first(doc):
    group = doc.spans["elmo_ner"]
    both = group + SpanGroup(doc, spans=[Span(doc, 0, 1, "tim")])
    assert len(both) == len(both.attrs["scores"]) == 6 and np.isnan(both.attrs["scores"][5])
    assert len(group) == len(group.attrs["scores"]) == 5
    group += SpanGroup(doc, spans=[Span(doc, 0, 1, "tim")])
    assert len(group) == 6 and group.attrs["pipes"] == ["elmo_ner"] * 5 + [None]


# ---- layers ------------------------------------------------------------------------------


def keeping(make_nlp):
    nlp = make_nlp("elmo")
    nlp.get_pipe("elmo").keep_layers = True
    return nlp


@pytest.mark.parametrize("way", [unchanged, copied, as_bytes, docbin])
def test_layers_arrive_with_a_doc_whose_tokens_are_the_same(make_nlp, way):
    doc = keeping(make_nlp)("Mary Smith left Paris")
    found = way(doc)._.elmo
    assert found.shape == (3, 4, 4)
    np.testing.assert_array_equal(found, doc._.elmo)


@pytest.mark.parametrize("way", [as_doc, joined])
def test_layers_of_a_whole_doc_are_none_of_its_parts_or_sums(make_nlp, way):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # W102: of a Doc that is joined, its own values are lost
        assert way(keeping(make_nlp)("Mary Smith left Paris"))._.elmo is None


def test_layers_of_words_merged_or_split_since_are_gone(make_nlp):
    nlp = keeping(make_nlp)
    doc = nlp("Mary Smith left Paris")
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
    assert doc._.elmo is None
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[2], ["Pa", "ris"], heads=[(doc[2], 1), doc[1]])
    assert len(doc) == 4 and doc._.elmo is None
    assert nlp(doc)._.elmo.shape == (3, 4, 4)


def test_a_doc_extension_that_exists_already_is_left_alone_and_said(make_nlp):
    before = Doc.get_extension("elmo") if Doc.has_extension("elmo") else None
    Doc.set_extension("elmo", getter=lambda doc: "mine", force=True)
    try:
        with pytest.warns(UserWarning, match=r"WL102.*Doc\._\.elmo exists.*Doc\._\.elmo_layers"):
            nlp = keeping(make_nlp)
        doc = nlp("Mary Smith left Paris")
        assert doc._.elmo == "mine" and doc._.elmo_layers.shape == (3, 4, 4)
    finally:
        Doc.remove_extension("elmo")
        Doc.remove_extension("elmo_layers")
        if before is not None:
            Doc.set_extension("elmo", getter=before[2])
