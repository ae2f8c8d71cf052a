import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining.objective import BatchMaker, LanguageModel, Vocabulary
from spacy_elmo_ner.pretraining.perplexity import load_language_model, measure
from spacy_elmo_ner.pretraining.text import TokenizedText, tokenize
from spacy_elmo_ner.pretraining.train import write_language_model


@pytest.fixture
def text(text_file: Path) -> TokenizedText:
    return tokenize([text_file], progress=False)


@pytest.fixture
def vocabulary(text: TokenizedText) -> Vocabulary:
    return Vocabulary.most_frequent(text.words, 12)


@pytest.fixture
def model(make_bilm: Callable[..., BiLM], vocabulary: Vocabulary) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(make_bilm(projection_dim=4), len(vocabulary), [5])


@pytest.fixture
def folder(tmp_path: Path, model: LanguageModel, vocabulary: Vocabulary) -> Path:
    write_language_model(model, vocabulary, tmp_path / "lm")
    return tmp_path / "lm"


def test_a_model_that_knows_nothing_has_the_perplexity_of_its_formula(
    model: LanguageModel, text: TokenizedText, vocabulary: Vocabulary
) -> None:
    with torch.no_grad():
        for parameter in model.softmax.parameters():
            parameter.zero_()
    make_batch = BatchMaker(text.words, vocabulary, model.bilm.options)
    found = measure(model, make_batch, text, np.arange(text.n_sentences), vocabulary)
    # All logits 0: a word of the head has one of 6 places, one of the tail one of 6 times 7.
    losses = {True: math.log(6), False: math.log(6 * 7)}
    for is_forward, value in ((True, found.forward), (False, found.backward)):
        mark = 1 if is_forward else 0
        targets = [*vocabulary.ids([text.words[i] for i in text.tokens])]
        targets += [mark] * text.n_sentences
        expected = math.exp(sum(losses[target < 5] for target in targets) / len(targets))
        assert value == pytest.approx(expected, rel=1e-5)
    assert found.mean == pytest.approx(math.sqrt(found.forward * found.backward))


def test_tokens_and_unknown_words_are_counted(
    model: LanguageModel, text: TokenizedText, vocabulary: Vocabulary
) -> None:
    make_batch = BatchMaker(text.words, vocabulary, model.bilm.options)
    found = measure(model, make_batch, text, np.arange(text.n_sentences), vocabulary)
    assert found.n_tokens == len(text.tokens)
    assert found.n_vocabulary == 12
    unknown = sum(text.words[i] not in vocabulary.index for i in text.tokens)
    assert unknown > 0 and found.oov == pytest.approx(unknown / len(text.tokens))


@pytest.mark.parametrize("batch_tokens", [1, 100, 10_000])
def test_the_size_of_a_batch_changes_nothing(
    model: LanguageModel, text: TokenizedText, vocabulary: Vocabulary, batch_tokens: int
) -> None:
    make_batch = BatchMaker(text.words, vocabulary, model.bilm.options)
    rows = np.arange(20)
    expected = measure(model, make_batch, text, rows, vocabulary)
    found = measure(model, make_batch, text, rows, vocabulary, batch_tokens=batch_tokens)
    assert found.forward == pytest.approx(expected.forward, rel=1e-4)
    assert found.backward == pytest.approx(expected.backward, rel=1e-4)


def test_a_language_model_survives_a_round_trip(
    model: LanguageModel, vocabulary: Vocabulary, folder: Path
) -> None:
    again, words = load_language_model(folder)
    assert words.words == vocabulary.words
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
    assert not again.training
    assert BiLM.from_disk(folder).options == model.bilm.options


@pytest.mark.parametrize("name", ["softmax.safetensors", "vocabulary.txt"])
def test_a_biLM_without_its_softmax_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"EL407.*{name}"):
        load_language_model(folder)


@pytest.mark.parametrize("content", [b"", b"one\ntwo\nthree", b"\xff\xfe", b"<S>\n</S>"])
def test_a_damaged_vocabulary_is_named(folder: Path, content: bytes) -> None:
    (folder / "vocabulary.txt").write_bytes(content)
    with pytest.raises(ValueError, match=r"EL004.*vocabulary\.txt"):
        load_language_model(folder)


def test_a_vocabulary_of_another_size_is_refused(folder: Path) -> None:
    with (folder / "vocabulary.txt").open("a") as file:
        file.write("\none more")
    with pytest.raises(ValueError, match=r"EL004.*softmax\.safetensors"):
        load_language_model(folder)


@pytest.mark.parametrize("change", ["empty", "no cutoffs", "extra", "nan", "bad cutoffs"])
def test_a_damaged_softmax_is_named(folder: Path, change: str) -> None:
    path = folder / "softmax.safetensors"
    tensors = load_file(path)
    if change == "no cutoffs":
        del tensors["cutoffs"]
    elif change == "extra":
        tensors["extra"] = torch.zeros(1)
    elif change == "nan":
        tensors["head.weight"] = torch.full_like(tensors["head.weight"], float("nan"))
    elif change == "bad cutoffs":
        tensors["cutoffs"] = torch.tensor([5, 5])
    save_file(tensors, path)
    if change == "empty":
        path.write_bytes(b"")
    code = "EL007" if change == "nan" else "EL004"
    with pytest.raises(ValueError, match=rf"{code}.*softmax\.safetensors"):
        load_language_model(folder)
