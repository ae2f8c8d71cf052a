"""Run a list of the plan's runs in one process, one after the other."""

import contextlib
import fcntl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from thinc.api import Config

from spacy_elmo_ner.elmo.pretrained import files_with_weights
from spacy_elmo_ner.files import sha256_of
from spacy_elmo_ner.pipeline.combine import combine
from spacy_elmo_ner.vectors.shared import packaged_sha256

from . import layer_zero, recipe_layers  # noqa: F401  (register their architectures)
from .plan import Run, blocks
from .results import ResultsFile, Row, fingerprint
from .score import CASES, scores
from .train import SharedLayers, Trained, train


@dataclass
class Runner:
    """What runs share: files, biLM layers, trainings, and a lock that other heavy work takes, too.

    A committee and the same systems alone are trained once.

    work: folder for the shares of training parts. lock: a file to lock during each run, so that
    processes which do the same take turns; None to lock nothing. cases: which of `CASES` to score.
    on_test: score the test part; dev still chooses between checkpoints.
    """

    work: Path
    bilm: str
    vectors: str | None
    lock: Path | None = None
    cases: Sequence[str] = CASES
    on_test: bool = False
    shared: SharedLayers = field(default_factory=SharedLayers)
    trained: dict[str, Trained] = field(default_factory=dict)

    def run(self, run: Run, results: ResultsFile) -> Row:
        """Train and score, unless the results have this very run; returns its row."""
        train_path = run.corpus.train(self.work)
        bilm = self.bilm if run.system.bilm else None
        configs = run.configs(train_path, self.bilm, self.vectors)
        files = {"train": sha256_of(train_path), "dev": sha256_of(run.corpus.dev)}
        scored = run.corpus.test if self.on_test else run.corpus.dev
        if self.on_test:
            files["test"] = sha256_of(scored)
        if bilm:
            files["biLM"] = _bilm_sha256(bilm)
        if run.system.vectors and self.vectors:
            for part in ("vectors", "key2row"):
                files[part] = sha256_of(Path(self.vectors) / "vocab" / part)
        for block in blocks(configs[0]["components"]):
            if str(block.get("@architectures", "")).startswith("spacy_elmo_ner.WordVectors."):
                files[block["name"]] = packaged_sha256(block["name"]) or ""
        # Of one pipeline, the config itself: rows from before there were committees stay valid.
        of_all = configs[0] if len(configs) == 1 else {"members": configs}
        made_from = fingerprint(of_all, files, self.cases)
        key = run.corpus.name, run.system.name, run.seed, bilm
        if not results.has(key, made_from):
            with _locked(self.lock):
                print(f"{run.corpus.name}, {run.system.name}, seed {run.seed}", flush=True)
                trained = self._train(configs, files)
                row = Row(
                    corpus=run.corpus.name,
                    system=run.system.name,
                    seed=run.seed,
                    bilm=bilm,
                    made_from=made_from,
                    scores=scores(
                        trained.nlp, read_docs(scored), read_docs(train_path), self.cases
                    ),
                    best_step=trained.best_step,
                    steps=trained.steps,
                    train_seconds=round(trained.seconds, 1),
                )
            results.add(row)
        return results.rows[key]

    def _train(self, configs: Sequence[Config], files: Mapping[str, str]) -> Trained:
        """Train, and combine what was trained if it is more than one pipeline."""
        made_from = {fingerprint(config, files, ()): config for config in configs}
        for key, config in made_from.items():
            if key not in self.trained:
                self.trained[key] = train(config, self.shared, _report)
        members = [self.trained[key] for key in made_from]
        if len(members) == 1:
            return members[0]
        nlp = combine([member.nlp for member in members])
        return Trained(
            nlp,
            members[0].best_step,
            sum(member.steps for member in members),
            sum(member.seconds for member in members),
        )


def _report(step: int, score: float) -> None:
    print(f"  step {step}: {100 * score:.2f}", flush=True)


@cache
def read_docs(path: Path) -> Sequence[Doc]:
    """Return the Docs of a .spacy file; the same objects each time."""
    return list(DocBin().from_disk(path).get_docs(Vocab()))


def _bilm_sha256(name: str) -> str:
    files = files_with_weights(name)
    if files is None:
        raise SystemExit(f"{name} is no biLM, nor a folder with the weights of one")
    return sha256_of(files.weights)


@contextlib.contextmanager
def _locked(path: Path | None) -> Iterator[None]:
    if path is None:
        yield
        return
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file unlocks it
