"""What every benchmark writes: its figures as JSON, and the machine they were taken on."""

import json
import os
import platform
from pathlib import Path
from typing import Any

from spacy_elmo_ner import __version__
from spacy_elmo_ner.files import write_text


def machine(threads: int) -> dict[str, Any]:
    """Return the CPU, its cores, the threads that were used, and this package's version."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": threads,
        "spacy-elmo-ner": __version__,
    }


def _cpu() -> str:
    """The processor's name, and which of the instructions that matter here it has."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    found = {name.strip(): value.split() for name, value in values.items()}
    wanted = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    has = [flag for flag in wanted if flag in found.get("flags", ())]
    return " ".join([*found.get("model name", [platform.machine()]), *has])


def write(path: Path, data: dict[str, Any]) -> None:
    write_text(path, json.dumps(data, indent=1) + "\n")
    print(f"Wrote {path}")
