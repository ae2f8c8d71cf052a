"""Where the long runs leave what they found: benchmarks/results/trust-NAME.json."""

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from spacy_elmo_ner.files import write_text

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
# Inputs that broke something, for whoever looks into it; not committed.
BROKEN = ROOT / "tests" / "fuzz" / "broken"


def read(name: str) -> dict[str, Any]:
    """What a run of this name wrote last; empty before the first."""
    path = _path(name)
    return json.loads(path.read_text(encoding="utf8")) if path.is_file() else {}


def write(name: str, command: str, found: dict[str, Any]) -> None:
    """found: what a run counted or measured, with the command that does it again."""
    data = {"command": command, "made_with": made_with(), **found}
    write_text(_path(name), json.dumps(data, indent=1, sort_keys=True) + "\n")


def made_with() -> dict[str, str]:
    packages = ("spacy", "thinc", "torch", "numpy", "h5py", "safetensors")
    system = {"python": platform.python_version(), "system": platform.system()}
    return system | {name: version(name) for name in packages}


def _path(name: str) -> Path:
    return RESULTS / f"trust-{name}.json"
