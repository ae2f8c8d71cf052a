"""What the yardstick's plan asks for: corpora, systems, and how long each trains on each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spacy.util import load_config
from thinc.api import Config

from spacy_elmo_ner.corpus.folder import write_share
from spacy_elmo_ner.elmo.pretrained import read_options

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Corpus:
    """A training part, or a share of it in percent, and the dev part beside it.

    dev_limit: sentences of dev that choose between a training's checkpoints; 0 for all. The
        scores are always those of the whole dev part.
    schedule: the name of the plan's schedule for this much text.
    """

    name: str
    folder: Path
    schedule: str
    share: float = 100
    dev_limit: int = 0

    @property
    def dev(self) -> Path:
        return self.folder / "dev.spacy"

    @property
    def test(self) -> Path:
        """The test part; of GMB the one whose repeated sentences are left out."""
        fixed = self.folder / "test_fixed.spacy"
        return fixed if fixed.is_file() else self.folder / "test.spacy"

    def train(self, work: Path) -> Path:
        """Return the training part; a share is drawn once and kept in the work folder."""
        if self.share == 100:
            return self.folder / "train.spacy"
        drawn = work / f"{self.folder.name}-{self.share:g}"
        path = drawn / "train.spacy"
        return (
            path if path.is_file() else write_share(self.folder / "train.spacy", self.share, drawn)
        )


@dataclass(frozen=True)
class System:
    """A config and what is changed in it.

    schedule: which of a schedule's budgets it trains by.
    settings: values, or whole blocks, by their dotted names.
    bilm, vectors: whether it reads the plan's biLM and its static word vectors.
    members: how many trainings, each with a seed of its own, are combined into one.
    """

    name: str
    config: Path
    schedule: str
    settings: Settings
    bilm: bool = False
    vectors: bool = False
    members: int = 1


@dataclass(frozen=True)
class Run:
    corpus: Corpus
    system: System
    seed: int
    schedule: Settings

    def configs(self, train: Path, bilm: str, vectors: str | None) -> list[Config]:
        """Return the config of each member, not yet interpolated; no two runs share a seed."""
        members = range(self.seed * self.system.members, (self.seed + 1) * self.system.members)
        return [replace(self, seed=seed).config(train, bilm, vectors) for seed in members]

    def config(self, train: Path, bilm: str, vectors: str | None) -> Config:
        """Return the config to train by, not yet interpolated.

        bilm: a name or a folder. vectors: a folder of spaCy's, or None where the system has none.
        """
        config = load_config(self.system.config, interpolate=False)
        settings: dict[str, Any] = {
            "training.seed": self.seed,
            "system.seed": self.seed,
            **self.system.settings,
            **self.schedule,
            "paths.train": str(train),
            "paths.dev": str(self.corpus.dev),
            "corpora.dev.limit": self.corpus.dev_limit,
        }
        if self.system.vectors:
            settings["paths.vectors"] = vectors
        for name, value in settings.items():
            change(config, name, value)
        if self.system.bilm:
            name_bilm(config, bilm)
        return config


def change(config: Config, name: str, value: Any) -> None:
    """Set the value, or replace the whole block, of a dotted name.

    Raises KeyError for a name whose section the config does not have.
    """
    *sections, key = name.split(".")
    block: Any = config
    for section in sections:
        block = block[section]
    block[key] = Config(value) if isinstance(value, dict) else value


def name_bilm(config: Config, bilm: str) -> None:
    """Have the `elmo` pipe read this biLM, and each listener expect what it gives."""
    config["components"]["elmo"]["model"]["name"] = bilm
    options = read_options(bilm)
    if options is None:
        raise ValueError(f"No biLM {bilm}: give a name, or a folder with options.json and weights")
    for block in blocks(config["components"]):
        architecture = str(block.get("@architectures", ""))
        if architecture.startswith("spacy_elmo_ner.ElmoListener."):
            block["width"], block["n_layers"] = options.width, options.n_layers
        elif architecture.startswith("benchmarks.LayerZero."):
            block["width"] = options.width


def blocks(config: Any) -> Iterator[dict[str, Any]]:
    """Yield every block below a section of a config."""
    for value in config.values():
        if isinstance(value, dict):
            yield value
            yield from blocks(value)


@dataclass(frozen=True)
class Plan:
    title: str
    corpora: Mapping[str, Corpus]
    systems: Mapping[str, System]
    schedules: Mapping[str, Mapping[str, Settings]]

    @property
    def heading(self) -> dict[str, Any]:
        """What a results file says of the plan: its title, and all names in their order."""
        return {
            "title": self.title,
            "corpora": list(self.corpora),
            "systems": list(self.systems),
        }

    def runs(
        self, seeds: Sequence[int], corpora: Sequence[str] = (), systems: Sequence[str] = ()
    ) -> list[Run]:
        """List the runs seed after seed and corpus after corpus, so that all have one seed first.

        corpora, systems: what to run, in this order; all if empty. Raises SystemExit for an
            unknown one.
        """
        chosen = [_chosen(self.corpora, corpora), _chosen(self.systems, systems)]
        return [
            Run(corpus, system, seed, self.schedules[corpus.schedule][system.schedule])
            for seed in seeds
            for corpus in chosen[0]
            for system in chosen[1]
        ]


def _chosen(known: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"The plan has no {', '.join(unknown)}, only {', '.join(known)}")
    return [known[name] for name in names or known]


def read_plan(path: Path) -> Plan:
    """Read a plan; a system's settings are those of its "base" and its own, which win."""
    data = json.loads(path.read_text(encoding="utf8"))
    systems = {}
    for name, entry in data["systems"].items():
        base = data["bases"][entry["base"]]
        systems[name] = System(
            name,
            Path(base["config"]),
            base["schedule"],
            {**base.get("settings", {}), **entry.get("settings", {})},
            bilm=entry.get("bilm", False),
            vectors=entry.get("vectors", False),
            members=entry.get("members", 1),
        )
    corpora = {
        name: Corpus(name, **{**entry, "folder": Path(entry["folder"])})
        for name, entry in data["corpora"].items()
    }
    return Plan(data["title"], corpora, systems, data["schedules"])
