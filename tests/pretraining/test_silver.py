"""Labels beside the words: each LSTM layer learns to tell them, and leaves nothing else behind."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.training import Example

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining.config import SilverConfig
from spacy_elmo_ner.pretraining.objective import BatchMaker, LanguageModel, Vocabulary
from spacy_elmo_ner.pretraining.silver import (
    MISSING,
    SilverLabels,
    label_text,
    repeated,
    warn_of_repetition,
)
from spacy_elmo_ner.pretraining.text import TokenizedText
from spacy_elmo_ner.pretraining.train import pretrain

from .conftest import MakeConfig

WORDS = ["the", "cat", "in", "Paris", "sat"]
SENTENCES = [[0, 1, 4], [2, 3], [0, 1, 4, 2, 3]]


def _text() -> TokenizedText:
    tokens = np.concatenate(SENTENCES).astype(np.int32)
    return TokenizedText(
        words=WORDS,
        counts=np.bincount(tokens),
        tokens=tokens,
        offsets=np.cumsum([0, *map(len, SENTENCES)]),
        source=np.zeros(len(SENTENCES), dtype=np.int32),
        sources=["text"],
    )


def _silver(folder: Path) -> SilverLabels:
    ids = np.asarray([0, 0, 0, 0, 1, MISSING, MISSING, MISSING, MISSING, MISSING], dtype=np.uint8)
    np.save(folder / "silver-ner.npy", ids)
    (folder / "silver.json").write_text(json.dumps({"ner": ["O", "B-GPE"]}))
    return SilverLabels.from_disk(folder, len(ids))


def _model(bilm: BiLM, silver: dict[str, int]) -> tuple[LanguageModel, BatchMaker]:
    vocabulary = Vocabulary.most_frequent(WORDS, 60)
    model = LanguageModel(bilm, len(vocabulary), [5], silver)
    return model, BatchMaker(WORDS, vocabulary, bilm.options)


def test_labels_stand_at_their_words_and_nowhere_else(make_bilm, tmp_path: Path) -> None:
    silver, text = _silver(tmp_path), _text()
    _, make_batch = _model(make_bilm(), silver.n_labels)
    rows = np.asarray([1, 2, 0])
    batch = silver.add_to(make_batch([text.sentence(i) for i in rows]), text, rows)
    expected = [-1, 0, 1, -1] + [-1] * 7 + [-1, 0, 0, 0, -1]
    assert batch.silver["ner"].tolist() == expected


def test_the_loss_is_that_of_both_directions_of_each_layer_together(make_bilm, tmp_path) -> None:
    silver, text = _silver(tmp_path), _text()
    bilm = make_bilm()
    model, make_batch = _model(bilm, silver.n_labels)
    rows = np.asarray([0, 1, 2])
    batch = silver.add_to(make_batch([text.sentence(i) for i in rows]), text, rows)
    *_, found, _ = model(batch)
    layers, _ = bilm.run([[WORDS[i] for i in sentence] for sentence in SENTENCES])
    states = torch.cat(layers, dim=1)[:, :5]  # the first two sentences have labels
    gold = torch.tensor([0, 0, 0, 0, 1])
    losses = [
        torch.nn.functional.cross_entropy(model.silver[f"ner-{depth}"](states[depth]), gold)
        for depth in range(1, len(states))
    ]
    assert found.item() == pytest.approx(torch.stack(losses).mean().item(), abs=1e-5)
    found.backward()
    assert bilm.forward_lstm.state_dict() and all(
        parameter.grad is not None and parameter.grad.abs().sum() > 0
        for parameter in (*bilm.forward_lstm.parameters(), *bilm.backward_lstm.parameters())
    )


def test_without_labels_the_loss_is_that_of_the_words_alone(make_bilm) -> None:
    text = _text()
    model, make_batch = _model(make_bilm(), {})
    forward, backward, silver, _ = model(make_batch([text.sentence(i) for i in range(3)]))
    assert silver.item() == 0 and forward.item() > 0 and backward.item() > 0


def test_a_pipeline_labels_the_sentences_it_is_given(ruler: str, tmp_path: Path) -> None:
    text = _text()
    label_text(text, np.asarray([2, 1]), SilverConfig(pipeline=ruler), tmp_path, progress_bar=False)
    silver = SilverLabels.from_disk(tmp_path, len(text.tokens))
    assert silver.labels == {"entities": ["B-GPE", "I-GPE", "O"]}
    found = silver.ids["entities"].tolist()
    assert found == [MISSING] * 3 + [2, 0] + [2, 2, 2, 2, 0]
    assert silver.labelled(text, np.asarray([0, 1, 2])).tolist() == [1, 2]


def test_labelling_that_was_stopped_continues(
    ruler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, rows, config = _text(), np.asarray([0, 1, 2]), SilverConfig(pipeline=ruler)
    monkeypatch.setattr("spacy_elmo_ner.pretraining.silver._CHUNK", 1)
    label_text(text, rows, config, tmp_path, progress_bar=False)
    whole = np.load(tmp_path / "silver-entities.npy")
    # Stopped after two of three sentences: only the third is labelled again.
    order = np.random.default_rng(config.seed).permutation(rows)
    ids = whole.copy()
    ids[text.offsets[order[0]]] = 1  # what is done is not done again
    ids[text.offsets[order[2]] : text.offsets[order[2] + 1]] = MISSING
    np.save(tmp_path / "silver-entities.npy", ids)
    progress = tmp_path / "silver-progress.json"
    progress.write_text(json.dumps({**json.loads(progress.read_text()), "sentences": 2}))
    label_text(text, rows, config, tmp_path, progress_bar=False)
    found = np.load(tmp_path / "silver-entities.npy")
    assert np.flatnonzero(found != whole).tolist() == [text.offsets[order[0]]]


def test_a_pipeline_is_only_loaded_while_there_is_something_to_label(
    ruler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, rows, config = _text(), np.asarray([0, 1, 2]), SilverConfig(pipeline=ruler)
    label_text(text, rows, config, tmp_path, progress_bar=False)
    loaded: list[str] = []
    load = spacy.load
    monkeypatch.setattr(spacy, "load", lambda name: (loaded.append(name), load(name))[1])
    label_text(text, rows, config, tmp_path, progress_bar=False)
    assert loaded == []
    label_text(text, rows, replace(config, seed=1), tmp_path, progress_bar=False)
    assert loaded == [ruler]


def test_labels_of_another_text_with_the_same_pipeline_are_made_anew(
    ruler: str, tmp_path: Path
) -> None:
    text, rows, config = _text(), np.asarray([0, 1, 2]), SilverConfig(pipeline=ruler)
    label_text(text, rows, config, tmp_path, progress_bar=False)
    offsets = np.asarray([*text.offsets[:-1], 11])
    longer = replace(text, tokens=text.tokens[[*range(10), 4]], offsets=offsets)
    label_text(longer, rows, config, tmp_path, progress_bar=False)
    silver = SilverLabels.from_disk(tmp_path, len(longer.tokens))
    assert silver.ids["entities"].tolist() == [2, 2, 2, 2, 0, 2, 2, 2, 2, 0, 0]
    # As long as the one before, with its words in another order.
    turned = replace(longer, tokens=longer.tokens[::-1])
    label_text(turned, rows, config, tmp_path, progress_bar=False)
    silver = SilverLabels.from_disk(tmp_path, len(turned.tokens))
    paris = WORDS.index("Paris")
    assert ((silver.ids["entities"] == 0) == (turned.tokens == paris)).all()


def test_no_more_words_are_labelled_than_asked_for(ruler: str, tmp_path: Path) -> None:
    text = _text()
    config = SilverConfig(pipeline=ruler, n_words=5)
    label_text(text, np.arange(3), config, tmp_path, progress_bar=False)
    silver = SilverLabels.from_disk(tmp_path, len(text.tokens))
    assert 0 < (silver.ids["entities"] != MISSING).sum() <= 5


def test_labelled_sentences_are_repeated_up_to_their_share() -> None:
    rows, labelled = np.arange(100), np.arange(10)
    found = repeated(rows, labelled, 0.5)
    assert np.bincount(found).tolist() == [9] * 10 + [1] * 90
    assert repeated(rows, labelled, 0.01).tolist() == rows.tolist()


@pytest.mark.parametrize("n_labelled", [1, 2])
def test_few_labels_that_are_read_often_are_warned_of(n_labelled: int) -> None:
    text = _text()
    rows = np.arange(3)
    read = np.concatenate([rows, *[rows[:n_labelled]] * 2])  # three times in an epoch
    lengths = np.diff(text.offsets)
    n_words = int(lengths[:n_labelled].sum())
    wanted = min(6 * n_words, int(lengths.sum()))
    message = rf"WL405.*the {n_words} words.*read 6 times.*n_words to {wanted},"
    with pytest.warns(UserWarning, match=message):
        warn_of_repetition(text, rows, read, epochs=2.0)


@pytest.mark.filterwarnings("error")
def test_labels_of_all_text_or_read_rarely_are_not_warned_of() -> None:
    text, rows = _text(), np.arange(3)
    warn_of_repetition(text, rows, rows, epochs=10.0)  # there is no more text to label
    read = np.concatenate([rows, rows[:1], rows[:1]])
    warn_of_repetition(text, rows, read, epochs=1.0)


def test_a_run_warns_of_labels_that_it_will_read_often(
    make_config: MakeConfig, ruler: str, tmp_path: Path
) -> None:
    config = make_config(max_steps=10)
    config = replace(config, silver=SilverConfig(pipeline=ruler, share=0.9, n_words=20))
    with pytest.warns(UserWarning, match=r"WL405"):
        pretrain(config, tmp_path / "out", progress_bar=False)


def test_a_pipeline_without_labels_is_refused(tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")
    config = SilverConfig(pipeline=str(tmp_path / "blank"))
    with pytest.raises(ValueError, match=r"EL428.*blank"):
        label_text(_text(), np.arange(3), config, tmp_path, progress_bar=False)


def test_more_labels_than_can_be_kept_are_refused_before_any_is_given(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    patterns = [{"label": f"L{i}", "pattern": "Paris"} for i in range(128)]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)  # B- and I- of each, and O: 257
    nlp.to_disk(tmp_path / "many")
    config = SilverConfig(pipeline=str(tmp_path / "many"))
    with pytest.raises(ValueError, match=r"EL429.*many.*257 labels of entities.*255"):
        label_text(_text(), np.arange(3), config, tmp_path, progress_bar=False)
    assert not list(tmp_path.glob("silver*"))


def test_a_pipe_that_others_listen_to_runs_under_any_name(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", name="shared")
    listener = {
        "@architectures": "spacy.Tok2VecListener.v1",
        "width": 96,
        "upstream": "shared",
    }
    nlp.add_pipe(
        "tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}}
    )
    docs = [Doc(nlp.vocab, WORDS, tags=["DT", "NN", "IN", "NNP", "VBD"])]
    optimizer = nlp.initialize(lambda: [Example(doc, doc) for doc in docs])
    for _ in range(30):
        nlp.update([Example(Doc(nlp.vocab, WORDS), doc) for doc in docs], sgd=optimizer)
    nlp.to_disk(tmp_path / "tagger")
    expected = [token.tag_ for token in nlp(Doc(nlp.vocab, WORDS))]
    assert expected == ["DT", "NN", "IN", "NNP", "VBD"]
    whole = replace(_text(), tokens=np.arange(5, dtype=np.int32), offsets=np.asarray([0, 5]))
    config = SilverConfig(pipeline=str(tmp_path / "tagger"))
    label_text(whole, np.arange(1), config, tmp_path, progress_bar=False)
    silver = SilverLabels.from_disk(tmp_path, 5)
    assert [silver.labels["tags"][i] for i in silver.ids["tags"]] == expected


@pytest.mark.filterwarnings("ignore:.*WL405")
def test_labelled_sentences_that_are_read_repeatedly_count_once(
    make_config: MakeConfig, ruler: str, tmp_path: Path
) -> None:
    plain = make_config(max_steps=1)
    silver = replace(plain, silver=SilverConfig(pipeline=ruler, share=0.9, n_words=20))
    counts = []
    for name, config in {"plain": plain, "silver": silver}.items():
        pretrain(config, tmp_path / name, progress_bar=False)
        counts.append((tmp_path / name / "text.json").read_text())
    assert counts[0] == counts[1]


def test_without_any_label_in_a_batch_each_layer_has_a_gradient_of_zero(
    make_bilm, tmp_path: Path
) -> None:
    # Several processes exchange all gradients at every step.
    silver, text = _silver(tmp_path), _text()
    model, make_batch = _model(make_bilm(), silver.n_labels)
    rows = np.asarray([2])
    batch = silver.add_to(make_batch([text.sentence(i) for i in rows]), text, rows)
    assert (batch.silver["ner"] == -1).all()
    _, _, loss, _ = model(batch)
    loss.backward()
    assert loss.item() == 0.0
    for parameter in model.silver.parameters():
        assert parameter.grad is not None and not parameter.grad.any()


def test_a_run_labels_its_text_and_learns_from_it(
    make_config: MakeConfig, ruler: str, tmp_path: Path
) -> None:
    config = replace(make_config(max_steps=30), silver=SilverConfig(pipeline=ruler, share=0.9))
    pretrain(config, tmp_path / "run", progress_bar=False)
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["silver"] < 0.5 * rows[0]["silver"]
    assert BiLM.from_disk(tmp_path / "run").options == config.options


def test_labels_of_another_text_are_refused(tmp_path: Path) -> None:
    _silver(tmp_path)
    with pytest.raises(ValueError, match=r"EL421.*silver-ner\.npy.*10.*7"):
        SilverLabels.from_disk(tmp_path, 7)
