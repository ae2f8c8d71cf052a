"""The peer environment: where it is, and a call into it."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spacy_elmo_ner.elmo.bilm import Layers

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ENVIRONMENT_VARIABLE = "SPACY_ELMO_NER_PEER"
MODULE = "allennlp_elmo.py"


@dataclass(frozen=True)
class PeerRun:
    """What AllenNLP answered: layers per sentence, seconds of the embedding, its versions."""

    layers: list[Layers]
    seconds: float
    versions: dict[str, str]


@dataclass(frozen=True)
class Peer:
    """python: the interpreter of the peer environment; folder: where its `allennlp_elmo` is."""

    python: Path
    folder: Path

    @classmethod
    def find(cls) -> "Peer":
        """Raises FileNotFoundError that says which half is missing and how to get it."""
        python = ROOT / ".peer" / "bin" / "python"
        if not python.is_file():
            raise FileNotFoundError(
                f"No peer environment at {ROOT / '.peer'}. "
                "Make it with benchmarks/allennlp_peer/make_env.sh"
            )
        folder = Path(os.environ.get(ENVIRONMENT_VARIABLE, ROOT))
        if not (folder / MODULE).is_file():
            raise FileNotFoundError(
                f"No {MODULE} in {folder}. Set {ENVIRONMENT_VARIABLE} to the folder that holds it; "
                "benchmarks/allennlp_peer/README.md says what it is"
            )
        return cls(python, folder.resolve())

    def embed(
        self,
        directory: Path,
        sentences: Sequence[Sequence[str]],
        *,
        batch_size: int = 8,
        threads: int = 1,
    ) -> PeerRun:
        """Layers by AllenNLP from a folder of options.json and weights.hdf5.

        Raises RuntimeError with AllenNLP's own message where it fails.
        """
        with tempfile.TemporaryDirectory() as temporary:
            words, output = Path(temporary) / "sentences.json", Path(temporary) / "layers.npz"
            words.write_text(json.dumps([list(each) for each in sentences]), encoding="utf8")
            command = [
                str(self.python),
                str(HERE / "peer_embed.py"),
                *(str(directory / name) for name in ("options.json", "weights.hdf5")),
                str(words),
                str(output),
                f"--batch-size={batch_size}",
                f"--threads={threads}",
            ]
            environment = {**os.environ, "PYTHONPATH": str(self.folder)}
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"AllenNLP failed: {done.stderr.strip()[-2000:]}")
            facts = json.loads(done.stdout.splitlines()[-1])
            with np.load(output, allow_pickle=False) as file:
                layers = [file[str(i)] for i in range(len(sentences))]
        return PeerRun(layers, facts.pop("seconds"), facts)
