"""Pipelines and gold corpora small enough to be made on the spot."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import fix_random_seed

from ..conftest import random_bilm

Sentence = tuple[str, str, str]  # words, tags, BIO labels, each parted by spaces

SENTENCES: list[Sentence] = [
    (
        "Mr. Smith left London on Monday .",
        "NNP NNP VBD NNP IN NNP .",
        "B-per I-per O B-geo O B-tim O",
    ),
    ("Acme Corp. is in Paris .", "NNP NNP VBZ IN NNP .", "B-org I-org O O B-geo O"),
    ("They said nothing .", "PRP VBD NN .", "O O O O"),
    ("London met Paris", "NNP VBD NNP", "B-geo O B-geo"),
]

PATTERNS = {
    "Smith": "per",
    "London": "geo",
    "Monday": "tim",
    "Acme Corp.": "org",
    "Paris": "org",
}


def gold_docs(sentences: Sequence[Sentence] = SENTENCES) -> list[Doc]:
    vocab = Vocab()
    return [
        Doc(vocab, words=words.split(), tags=tags.split(), ents=bio.split())
        for words, tags, bio in sentences
    ]


def add_ruler(nlp: Language, patterns: dict[str, str]) -> Language:
    pipe = nlp.add_pipe("entity_ruler")
    pipe.add_patterns(  # type: ignore[attr-defined]
        [
            {"label": label, "pattern": [{"ORTH": word} for word in words.split()]}
            for words, label in patterns.items()
        ]
    )
    return nlp


def tagger() -> Language:
    """A tagger that listens to a tok2vec and knows the sentences above by heart."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96}
    nlp.add_pipe("tagger", config={"model": {"tok2vec": listener}})
    examples = [
        Example.from_dict(Doc(nlp.vocab, words=words.split()), {"tags": tags.split()})
        for words, tags, _ in SENTENCES
    ]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(20):
        nlp.update(examples, sgd=optimizer)
    return nlp


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pipelines on disk: rules, tags, tagged (both), onto (other labels), bare (neither)."""
    root = tmp_path_factory.mktemp("pipelines")
    add_ruler(spacy.blank("en"), PATTERNS).to_disk(root / "rules")
    onto = {"Smith": "PERSON", "London": "GPE", "nothing": "CARDINAL"}
    add_ruler(spacy.blank("en"), onto).to_disk(root / "onto")
    bare = spacy.blank("en")
    bare.add_pipe("sentencizer")
    bare.to_disk(root / "bare")
    both = tagger()
    both.to_disk(root / "tags")
    both.add_pipe("sentencizer")
    add_ruler(both, PATTERNS).to_disk(root / "tagged")
    return root


@pytest.fixture(scope="session")
def elmo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline with confidences on disk: elmo_tagger and elmo_ner, not quite sure of anything."""
    root = tmp_path_factory.mktemp("elmo")
    random_bilm().to_disk(root / "bilm")
    fix_random_seed(0)
    nlp = spacy.blank("en")
    bilm = {"@architectures": "spacy_elmo_ner.BiLM.v1", "name": str(root / "bilm")}
    tok2vec = {"@architectures": "spacy_elmo_ner.ElmoTok2Vec.v1", "bilm": bilm}
    encoder = {"units": 12, "dropout": 0.0, "recurrent_dropout": 0.0}
    for pipe in ("elmo_tagger", "elmo_ner"):
        nlp.add_pipe(pipe, config={"model": {"tok2vec": tok2vec, "encoder": encoder}})
    gold = gold_docs()
    examples = [Example(Doc(nlp.vocab, words=[t.text for t in doc]), doc) for doc in gold]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.02
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    nlp.to_disk(root / "pipeline")
    return root / "pipeline"


@pytest.fixture
def write_corpus(tmp_path: Path) -> Callable[..., Path]:
    def write(docs: Sequence[Doc] | None = None, name: str = "test.spacy") -> Path:
        path = tmp_path / name
        DocBin(docs=gold_docs() if docs is None else docs).to_disk(path)
        return path

    return write
