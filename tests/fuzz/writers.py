"""What writes files here, each with a folder as it was before, and a judge of what it left."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from spacy.tokens import Doc, DocBin
from torch import nn

from spacy_elmo_ner.corpus.folder import CORPUS_FILE, write_corpus
from spacy_elmo_ner.corpus.gmb import GMBSentence
from spacy_elmo_ner.corpus.splits import Split
from spacy_elmo_ner.elmo import BiLMOptions
from spacy_elmo_ner.elmo.options import CharCNNOptions, LSTMOptions
from spacy_elmo_ner.elmo.storage import OPTIONS_FILE
from spacy_elmo_ner.files import atomic_file, write_text
from spacy_elmo_ner.pipeline.save import save_pipeline
from spacy_elmo_ner.pretraining.checkpoint import (
    Progress,
    checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from spacy_elmo_ner.pretraining.config import PretrainingConfig, TextConfig, TrainingConfig
from spacy_elmo_ner.pretraining.train import pretrain
from tests.conftest import random_bilm

from .pipelines import make_pipeline

# What a fault may leave. UNFINISHED: no file says that anything is there, and reading says so.
# BESIDE: nothing bears the name, and what did is whole under another.
OLD, NEW, UNFINISHED, BESIDE, LOSS = "old", "new", "unfinished", "old, renamed", "loss"


@dataclass(frozen=True)
class Writer:
    """before: make the old state. write: the writer. judge: what stands in the folder now."""

    before: Callable[[Path], object]
    write: Callable[[Path], object]
    judge: Callable[[Path], str]


def make_writers(scratch: Path) -> dict[str, Writer]:
    """Writers by name; scratch: where each makes what old and new should look like."""
    return {
        "pipeline": _pipeline(scratch / "pipeline"),
        "biLM, safetensors": _bilm(scratch / "safetensors", hdf5=False),
        "biLM, HDF5": _bilm(scratch / "hdf5", hdf5=True),
        "checkpoint": _checkpoint(),
        "corpus": _corpus(scratch / "corpus"),
        "annotated Docs": _annotated(scratch / "annotated"),
        "results": _results(),
    }


def visible(folder: Path) -> dict[str, bytes]:
    """Files by name with their content, temporary ones left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    }


def _same(
    scratch: Path, before: Callable[[Path], object], write: Callable[[Path], object]
) -> Writer:
    """A writer that is judged by its files: all of the old ones, or all of the new."""
    for name, make in ((OLD, before), (NEW, write)):
        (scratch / name).mkdir(parents=True)
        make(scratch / name)
    states = {name: visible(scratch / name) for name in (OLD, NEW)}

    def judge(folder: Path) -> str:
        found = visible(folder)
        return next((name for name, state in states.items() if state == found), LOSS)

    return Writer(before, write, judge)


def _pipeline(scratch: Path) -> Writer:
    (scratch / "bilm").mkdir(parents=True)
    random_bilm().to_disk(scratch / "bilm")
    old, new = (make_pipeline(str(scratch / "bilm"), steps=steps) for steps in (1, 2))
    whole = _same(
        scratch,
        lambda folder: save_pipeline(old, folder / "model"),
        lambda folder: save_pipeline(new, folder / "model"),
    )

    def judge(folder: Path) -> str:
        beside = folder / ".model.old"
        if (folder / "model").exists() or not beside.exists():
            return whole.judge(folder)
        found = {name: beside / Path(name).relative_to("model") for name in visible(scratch / OLD)}
        same = all(
            path.read_bytes() == (scratch / OLD / name).read_bytes() for name, path in found.items()
        )
        return BESIDE if same else LOSS

    return Writer(whole.before, whole.write, judge)


def _annotated(scratch: Path) -> Writer:
    """Docs through a pipeline into one file, as someone who annotates an archive would do it."""
    (scratch / "bilm").mkdir(parents=True)
    random_bilm().to_disk(scratch / "bilm")
    nlp = make_pipeline(str(scratch / "bilm"), steps=1)

    def annotate(text: str, folder: Path) -> None:
        docs = [Doc(nlp.vocab, words=text.split()) for _ in range(40)]
        found = DocBin(docs=nlp.pipe(docs, batch_size=10)).to_bytes()
        with atomic_file(folder / "docs.spacy") as path:
            path.write_bytes(found)

    return _same(
        scratch,
        lambda folder: annotate("Mary Smith left Paris", folder),
        lambda folder: annotate("President John Smith met Reuters in Paris .", folder),
    )


def _bilm(scratch: Path, hdf5: bool) -> Writer:
    old, new = (random_bilm(seed=seed, dim=128, projection_dim=64) for seed in (1, 2))
    if hdf5:
        return _same(scratch, old.to_hdf5, new.to_hdf5)
    return _same(scratch, old.to_disk, new.to_disk)


def _corpus(scratch: Path) -> Writer:
    def split(word: str, n: int) -> Split:
        rows = (word,) * 20, ("NN",) * 20, ("O",) * 20
        sentences = [GMBSentence(i, *rows) for i in range(1, n + 1)]
        return Split(sentences, sentences[: n // 2], sentences[: n // 2])

    old, new = split("old", 40), split("new", 60)
    whole = _same(
        scratch,
        lambda folder: write_corpus(old, "seed", [], folder),
        lambda folder: write_corpus(new, "clean", [], folder),
    )

    def judge(folder: Path) -> str:
        found = whole.judge(folder)
        return UNFINISHED if found == LOSS and not (folder / CORPUS_FILE).exists() else found

    return Writer(whole.before, whole.write, judge)


_CONFIG = {"training": {"seed": 0}}


def _checkpoint() -> Writer:
    def made(seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(seed)
        model = nn.Linear(300, 300)
        optimizer = torch.optim.AdamW(model.parameters())
        model(torch.ones(1, 300)).sum().backward()
        optimizer.step()
        return model, optimizer

    models = {5: made(1), 10: made(2)}

    def save(folder: Path, step: int) -> None:
        save_checkpoint(folder, *models[step], Progress(step=step), _CONFIG, keep=1)

    def judge(folder: Path) -> str:
        found = checkpoints(folder)
        if not found:
            return LOSS
        model, optimizer = made(3)
        step = load_checkpoint(found[-1], model, optimizer, _CONFIG).step
        whole = all(
            torch.equal(value, model.state_dict()[name])
            for name, value in models[step][0].state_dict().items()
        )
        return {5: OLD, 10: NEW}[step] if whole else LOSS

    return Writer(lambda folder: save(folder, 5), lambda folder: save(folder, 10), judge)


_RESULT_FILES = ("results.json", "results.md", "texts.json", "report.html")


def _results() -> Writer:
    """Files that stand for themselves: each is the old or the new one, in order."""
    texts = {OLD: json.dumps(["old"] * 50_000), NEW: json.dumps(["new"] * 60_000)}

    def write(folder: Path, which: str) -> None:
        for name in _RESULT_FILES:
            write_text(folder / name, texts[which])

    def judge(folder: Path) -> str:
        found = visible(folder)
        states = [
            next((which for which, text in texts.items() if text.encode() == content), LOSS)
            for content in found.values()
        ]
        if LOSS in states or set(found) != set(_RESULT_FILES):
            return LOSS
        return states[0] if len(set(states)) == 1 else "some of each, each whole"

    return Writer(lambda folder: write(folder, OLD), lambda folder: write(folder, NEW), judge)


def pretraining(scratch: Path) -> Callable[[Path], object]:
    """A short run that goes on with whatever it finds in its output folder."""
    text = scratch / "text.txt"
    lines = [f"the {noun} sees the {other} ." for noun in "abcdef" for other in "uvwxyz"]
    text.write_text("\n".join(lines * 3) + "\n", encoding="utf8")
    config = PretrainingConfig(
        TextConfig(paths=(str(text),), n_vocabulary=12, n_held_out=4),
        TrainingConfig(
            batch_tokens=60, max_steps=24, softmax_cutoffs=(5,), bf16=False, checkpoint_every=2
        ),
        BiLMOptions(CharCNNOptions(4, ((1, 4), (3, 8)), n_highway=1), LSTMOptions(12, 8)),
    )
    return lambda output: pretrain(config, output, resume=True, progress_bar=False)


def without_times(log: Path) -> Sequence[dict[str, object]]:
    """The rows of a pre-training's log.jsonl, without how long anything took."""
    rows = [json.loads(line) for line in log.read_text(encoding="utf8").splitlines()]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def trained_files(output: Path) -> dict[str, bytes]:
    """What a finished pre-training is worth."""
    names = (OPTIONS_FILE, "weights.safetensors", "softmax.safetensors", "vocabulary.txt")
    return {name: (output / name).read_bytes() for name in names}
