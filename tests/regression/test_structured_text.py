"""A biLM learns every word it is given: what is no plain text, or not cut into words, is said."""

import json
import warnings
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_elmo_ner.pretraining.files import read_sentences
from spacy_elmo_ner.pretraining.text import tokenize
from spacy_elmo_ner.pretraining.text_checks import structure_of

PROSE = """The minister arrived in Oslo on Monday, and left again, as she had said, on Tuesday.
“Nobody asked me,” she said; her office paid 1,200 kroner for the trip.
[1] See the report of 3 June 2004, page 12.
If a < b and b > c, then <unk> words are replaced.
Smith, J. (2001), Jones, K. (2002), and others (see below), disagree.
Write to <press@example.org>, or see <https://example.org/a,b>.
"""
TEXTS = ["She left.", "He “stayed”, she said.", "Nobody knows why, or how."]
CONLL = "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\nGerman JJ B-NP B-MISC\ncall NN I-NP O\n. . O O\n"
CONLLU = """# sent_id = 1
# text = They buy books.
1\tThey\tthey\tPRON\tPRP\t_\t2\tnsubj\t_\t_
2\tbuy\tbuy\tVERB\tVBP\t_\t0\troot\t_\t_
3\tbooks\tbook\tNOUN\tNNS\t_\t2\tobj\t_\t_
4\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_
"""
STRUCTURED = {
    "JSON": [
        json.dumps(TEXTS),
        json.dumps([{"text": text} for text in TEXTS]),
        json.dumps([{"text": text} for text in TEXTS], indent=2),
        json.dumps({"data": {"texts": TEXTS}}, indent=1),
        "".join(json.dumps({"text": text, "id": 3}) + "\n" for text in TEXTS),
    ],
    "HTML or XML": [
        "<!DOCTYPE html>\n<html><body>\n<p>She left.</p>\n</body></html>\n",
        "<html>\nShe left.\nHe stayed.\nNobody knows why.\nOr how.\nOr when.\n</html>\n",
        '<?xml version="1.0"?>\n<doc id="3">\nShe left.\n</doc>\n',
        "Menu\n<div class='a'>She left.</div>\n<br/>\nHe stayed.\n",
    ],
    "CoNLL": [
        CONLL,
        "-DOCSTART- -X- -X- O\n\n" + CONLL,
        CONLL.replace(" ", "\t"),
        CONLLU,
        "Rome NNP\nfell VBD\nin IN\nwinter NN\n. .\n",
        "Rome\tB-geo\nfell\tO\nin\tO\nwinter\tB-tim\n",
    ],
    "a table": [
        "id,text\n1,She left.\n2,He stayed.\n",
        "Sentence #,Word,POS,Tag\nSentence: 1,Rome,NNP,B-geo\n,fell,VBD,O\n,.,.,O\n",
        'id,text,date\n1,"She left, alone.",2001\n2,"He ""stayed"".",2002\n3,Why?,2003\n',
        "text;label\nShe left.;1\nHe stayed.;0\n",
        "She left.\tSie ging.\nHe stayed.\tEr blieb.\nWhy?\tWarum?\n",
    ],
    "a list of words": ["\n".join(f"word{i}" for i in range(30)) + "\n"],
}


@pytest.mark.parametrize(
    ("kind", "content"), [(kind, each) for kind, texts in STRUCTURED.items() for each in texts]
)
def test_text_with_structure_is_said_to_be_learned_as_words(
    tmp_path: Path, kind: str, content: str
) -> None:
    path = tmp_path / "text.txt"
    path.write_text(content, encoding="utf8")
    with pytest.warns(UserWarning, match=rf"WL403.*text\.txt looks like {kind}.*line \d+ is"):
        text = tokenize([path], progress=False)
    assert text.n_sentences > 0


@pytest.mark.parametrize("content", [PROSE, "One line.\n", "x\ny\n", "Yes,\nno,\n[Music]\n"])
def test_prose_is_taken_without_a_word(tmp_path: Path, content: str) -> None:
    path = tmp_path / "text.txt"
    path.write_text(content, encoding="utf8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tokenize([path], progress=False).n_sentences == len(content.splitlines())


def test_texts_of_json_lines_are_looked_at_too(tmp_path: Path) -> None:
    path = tmp_path / "pages.jsonl"
    path.write_text("\n" + json.dumps({"text": "<p>One.</p>\n<p>Two.</p>"}) + "\n")
    with pytest.warns(UserWarning, match=r"WL403.*pages\.jsonl looks like HTML.*line 2 is"):
        sentences = list(read_sentences(path, spacy.blank("en")))
    assert len(sentences) == 2


def test_lines_behind_the_ones_looked_at_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("".join(f"Line {i} of a text.\n" for i in range(1000)))
    assert tokenize([path], progress=False).n_sentences == 1000


def test_no_lines_have_no_structure() -> None:
    assert structure_of([]) is None


UNSEGMENTED = {
    "Chinese": ("zh", "我昨天在北京大学图书馆看书。\n他们决定明天早上坐火车去上海。\n"),
    "Japanese": (
        "ja",
        "私は昨日東京大学の図書館で本を読みました。\nカタカナとひらがなで書きます。\n",
    ),
    "Thai": ("th", "เมื่อวานนี้ฉันอ่านหนังสือที่ห้องสมุด\nพวกเขาจะไปเชียงใหม่พรุ่งนี้เช้า\n"),
}


@pytest.mark.parametrize("script", UNSEGMENTED)
def test_text_without_spaces_is_said_to_need_a_tokenizer_of_its_language(
    tmp_path: Path, script: str
) -> None:
    language, content = UNSEGMENTED[script]
    english, other = tmp_path / "english.txt", tmp_path / "other.txt"
    english.write_text("An English sentence.\n")
    other.write_text(content, encoding="utf8")
    message = rf'WL404.*other\.txt holds {script}.*lang = "{language}"'
    with pytest.warns(UserWarning, match=message):
        tokenize([english, other], progress=False)


def test_docs_that_are_not_cut_are_named_too(tmp_path: Path) -> None:
    docs = [Doc(Vocab(), words=["我昨天在北京大学图书馆看书", "。"])]
    DocBin(docs=docs).to_disk(tmp_path / "a.spacy")
    with pytest.warns(UserWarning, match=r"WL404.*a\.spacy holds Chinese"):
        tokenize([tmp_path / "a.spacy"], progress=False)


@pytest.mark.parametrize(
    "content",
    [
        "我 昨天 在 北京 大学 图书馆 看 书 。\n",
        "私 は 昨日 東京 大学 の 図書館 で 本 を 読み まし た 。\n",
        "เมื่อวานนี้ ฉัน อ่าน หนังสือ ที่ ห้องสมุด\n",
        "나는 어제 도서관에서 책을 읽었다.\n",
        "The word 北京大学图书馆 stands in a long English sentence about libraries in many "
        "other places, in which nobody reads anything else, as far as is known to the author, "
        "who has been to most of them and has read there what there was to read.\n",
    ],
)
def test_text_that_is_cut_or_of_another_script_is_taken_without_a_word(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "text.txt"
    path.write_text(content, encoding="utf8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tokenize([path], progress=False).n_sentences == 1
