"""A biLM pre-trained and a tagger trained on it, for text that is not English.

The sentences are ours, written for these tests: each word with its tag. Chinese is cut into
characters, as spaCy does without a dictionary, so each character has the tag of its word.
"""

import json
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from typer.testing import CliRunner

from spacy_elmo_ner.cli.app import elmo_cli
from spacy_elmo_ner.corpus.language import TextLanguage
from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining.config import PretrainingConfig, TextConfig
from spacy_elmo_ner.pretraining.text import TokenizedText
from spacy_elmo_ner.pretraining.text_counts import read_language
from spacy_elmo_ner.pretraining.train import pretrain

# Beginnings, middles and ends that make sense together in any combination.
PARTS = {
    "de": (
        ["Die/D Lehrerin/N", "Der/D alte/A Müller/N", "Unser/D Nachbar/N", "Frau/N Groß/N"],
        ["liest/V heute/R", "verkauft/V", "sucht/V gerade/R", "übermalt/V"],
        ["ein/D Buch/N ./P", "z.B./R Äpfel/N ./P", "das/D grüne/A Haus/N ./P"],
    ),
    "fi": (
        ["Opettaja/N", "Vanha/A mylläri/N", "Naapurimme/N", "Äiti/N"],
        ["lukee/V tänään/R", "myy/V", "etsii/V nyt/R", "maalaa/V"],
        ["kirjaa/N ./P", "omenoita/N torilla/N ./P", "vihreää/A taloa/N ./P"],
    ),
    "zh": (
        ["老师/N", "我们/R 的/X 邻居/N", "那个/R 农民/N", "妈妈/N"],
        ["今天/T 看/V", "卖/V", "正在/T 找/V", "喜欢/V"],
        ["一本/M 书/N 。/P", "苹果/N 。/P", "绿色/A 的/X 房子/N 。/P"],
    ),
    "ar": (
        ["المعلم/N", "الفلاح/N القديم/A", "جارنا/N", "أمي/N"],
        ["يقرأ/V اليوم/R", "يبيع/V", "يطلب/V الآن/R", "يحب/V"],
        ["كتابا/N ./P", "تفاحا/N في/I السوق/N ./P", "بيتا/N أخضر/A ؟/P"],
    ),
    "he": (
        ["המורה/N", "האיכר/N הזקן/A", "השכן/N שלנו/X", "אמא/N"],
        ["קורא/V היום/R", "מוכר/V", "מחפש/V עכשיו/R", "אוהב/V"],
        ["ספר/N ./P", "תפוחים/N בשוק/N ./P", "בית/N ירוק/A ./P"],
    ),
}
WITHOUT_SPACES = {"zh"}

CONFIG = """
[text]
paths = ["{text}"]
n_vocabulary = 60
n_held_out = 4
lang = "{lang}"

[training]
batch_tokens = 120
max_epochs = 15
learning_rate = 0.02
softmax_cutoffs = [20]
bf16 = false
evaluate_every = 1000
checkpoint_every = 1000

[bilm]
[bilm.lstm]
dim = 24
projection_dim = 12
[bilm.char_cnn]
filters = [[1, 8], [3, 16]]
n_highway = 1
[bilm.char_cnn.embedding]
dim = 6
"""


def sentences(lang: str) -> list[list[tuple[str, str]]]:
    """All combinations of the parts, as words with their tags."""
    lines = (" ".join(parts).split() for parts in product(*PARTS[lang]))
    return [[tuple(word.rsplit("/", 1)) for word in line] for line in lines]  # type: ignore[misc]


def text_of(lang: str, sentence: list[tuple[str, str]]) -> str:
    if lang in WITHOUT_SPACES:
        return "".join(word for word, _ in sentence)
    return " ".join(word for word, _ in sentence[:-1]) + sentence[-1][0]


def gold(nlp: spacy.Language, lang: str, sentence: list[tuple[str, str]]) -> Doc:
    """The Doc of the language's own tokenizer, with the tag of the word each token is in."""
    doc = nlp.make_doc(text_of(lang, sentence))
    tags = [tag for word, tag in sentence for _ in (word if lang in WITHOUT_SPACES else [word])]
    assert len(doc) == len(tags), [token.text for token in doc]
    for token, tag in zip(doc, tags, strict=True):
        token.tag_ = tag
    return doc


@pytest.fixture(scope="module", params=sorted(PARTS))
def pretrained(request, tmp_path_factory) -> tuple[str, Path]:
    """A language, and the folder with the run on its sentences."""
    lang, folder = request.param, tmp_path_factory.mktemp(request.param)
    lines = [text_of(lang, sentence) for sentence in sentences(lang)]
    (folder / "text.txt").write_text("\n".join(lines), encoding="utf8")
    config = CONFIG.format(lang=lang, text=(folder / "text.txt").as_posix())
    (folder / "x.cfg").write_text(config, encoding="utf8")
    pretrain(PretrainingConfig.from_cfg(folder / "x.cfg"), folder / "bilm", progress_bar=False)
    return lang, folder / "bilm"


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_bilm_and_a_tagger_learn_the_language(pretrained) -> None:
    lang, folder = pretrained
    words = set(TokenizedText.from_disk(folder / "text").words)
    nlp = spacy.blank(lang)
    expected = {token.text for s in sentences(lang) for token in nlp.make_doc(text_of(lang, s))}
    assert words == expected
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert log[-1]["forward"] < 0.75 * len(words) and log[-1]["loss"] < 0.85 * log[0]["loss"]

    shutil.copytree(folder, "bilm")
    nlp.add_pipe("elmo", config={"model": {"name": "bilm"}})
    tagger = {"tok2vec": {"@architectures": "spacy_elmo_ner.ElmoListener.v1", "width": 24}}
    encoder = {"@architectures": "spacy_elmo_ner.ResidualBiLSTM.v1", "units": 16,
               "dropout": 0.0, "recurrent_dropout": 0.0}  # fmt: skip
    model = {"@architectures": "spacy_elmo_ner.ElmoTagger.v1", "decoder": "softmax"}
    nlp.add_pipe("elmo_tagger", config={"model": {**model, **tagger, "encoder": encoder}})
    examples = [
        Example(nlp.make_doc(reference.text), reference)
        for reference in (gold(nlp, lang, sentence) for sentence in sentences(lang))
    ]
    held_out, learned = examples[::5], [one for i, one in enumerate(examples) if i % 5]
    optimizer = nlp.initialize(lambda: learned)
    optimizer.learn_rate = 0.02
    for _ in range(60):
        nlp.update(learned, sgd=optimizer)
    assert nlp.evaluate(held_out)["tag_acc"] > 0.9

    nlp.to_disk("pipeline")
    shutil.rmtree("bilm")  # the pipeline brings it along
    saved = spacy.load("pipeline")
    texts = [one.reference.text for one in held_out]
    before, after = ([[t.tag_ for t in doc] for doc in each.pipe(texts)] for each in (nlp, saved))
    assert before == after and saved.lang == lang


def test_perplexity_cuts_text_as_the_run_did(pretrained) -> None:
    lang, folder = pretrained
    assert read_language(folder) == TextLanguage(lang)
    Path("more.txt").write_text(text_of(lang, sentences(lang)[0]), encoding="utf8")
    run = CliRunner().invoke(elmo_cli, ["perplexity", str(folder), "more.txt", "--json"])
    assert run.exit_code == 0, run.output
    found = json.loads(run.output)
    assert found["oov"] == 0
    assert found["n_tokens"] == len(spacy.blank(lang)(Path("more.txt").read_text("utf8")))


@pytest.mark.parametrize("packed", [False, True])
def test_official_files_of_another_language_are_a_name(pretrained, packed: bool) -> None:
    """In the format of the NLPL repository: a ZIP archive, or the folder unpacked."""
    lang, folder = pretrained
    bilm = BiLM.from_disk(folder)
    bilm.to_hdf5(Path("official"))
    name = shutil.make_archive("archive", "zip", "official") if packed else "official"
    doc = spacy.blank(lang)(text_of(lang, sentences(lang)[-1]))
    words = [token.text for token in doc]
    (expected,), (found,) = bilm.embed([words]), BiLM.from_pretrained(name).embed([words])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    # A word has its own vectors, whichever bytes it is made of.
    assert len({row.tobytes() for row in found[0]}) == len(set(words))


def test_a_tokenizer_can_be_a_block_of_its_own(tmp_path: Path) -> None:
    block = '[text.tokenizer]\n@tokenizers = "spacy.zh.ChineseTokenizer"\nsegmenter = "char"\n'
    (tmp_path / "x.cfg").write_text(f'[text]\nlang = "en"\n\n{block}')
    language = PretrainingConfig.from_cfg(tmp_path / "x.cfg").text.language
    assert [token.text for token in language.blank()("我们 3")] == ["我", "们", "3"]
    (tmp_path / "x.cfg").write_text("[text]\ntokenizer = 3\n")
    with pytest.raises(ValueError, match=r"EL405.*tokenizer is 3, not of type dict"):
        PretrainingConfig.from_cfg(tmp_path / "x.cfg")


@pytest.mark.parametrize(
    "language",
    [
        TextLanguage("xx-none"),
        TextLanguage("en", {"@tokenizers": "nobody.has.this"}),
        TextLanguage("en", {"segmenter": "char"}),
    ],
)
def test_what_spacy_does_not_have_is_one_message(language) -> None:
    with pytest.raises(ValueError, match="EL657"):
        language.blank()


def test_checkpoints_from_before_there_was_a_language_stay_valid() -> None:
    assert PretrainingConfig().to_dict()["text"].keys() == {"paths", "n_vocabulary", "n_held_out"}
    german = PretrainingConfig(text=TextConfig(lang="de"))
    assert german.to_dict()["text"]["lang"] == "de"


def test_text_files_have_their_language_as_an_option(tmp_path: Path, monkeypatch) -> None:
    from spacy_elmo_ner.cli.pretrain import read_config

    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("Er kam z.B. gestern.\n")
    Path("a.cfg").write_text('[text]\npaths = ["a.txt"]\nlang = "fi"\n')
    assert read_config(["a.txt"], "de").text.lang == "de"
    assert read_config(["a.txt"]).text.lang == "en"
    assert read_config(["a.cfg"]).text.lang == "fi"
    assert read_config(["a.cfg"], "de").text.lang == "de"
