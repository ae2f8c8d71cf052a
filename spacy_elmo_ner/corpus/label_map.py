"""Label maps: which label of one scheme is which of another, in a file people can edit.

    {"description": "...", "ents": {"PERSON": "per", "CARDINAL": null}, "tags": {"-LRB-": "LRB"}}

null says: known, but the other scheme has nothing like it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import srsly

from ..errors import Errors, shown

_SECTIONS = ("ents", "tags")
_EXAMPLE = "assets/label_maps/ontonotes-gmb.json"
_MOST_BYTES = 1 << 18  # ours have less than 1 KB


@dataclass(frozen=True)
class LabelMap:
    """Entity labels and tags of one scheme, and what each is in another; source names it."""

    source: str
    ents: Mapping[str, str | None] = field(default_factory=dict)
    tags: Mapping[str, str | None] = field(default_factory=dict)
    description: str = ""

    @classmethod
    def from_file(cls, path: str | Path) -> "LabelMap":
        """Read a .json, .yml or .yaml file.

        Raises ValueError: a file that cannot be read (EL240), or is no label map (EL241).
        """
        path = Path(path)
        read = srsly.yaml_loads if path.suffix in (".yml", ".yaml") else json.loads
        try:
            data = read(_text(path))
        # srsly raises ValueError for whatever the YAML reader trips over.
        except (OSError, ValueError, RecursionError) as err:
            raise ValueError(Errors.EL240.format(path=path, problem=err, example=_EXAMPLE)) from err
        return cls(source=str(path), **_checked(path, data))


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
    return data.decode("utf-8-sig")


def _checked(path: Path, data: object) -> dict[str, Any]:
    """The file's entries, once every one is known to be what it should be."""
    if not isinstance(data, dict):
        raise ValueError(Errors.EL241.format(path=path, place="the file", value=shown(data)))
    if not any(section in data for section in _SECTIONS):
        raise ValueError(
            Errors.EL241.format(path=path, place="the list of entries", value=shown([*data]))
        )
    for name, value in data.items():
        if name == "description" and isinstance(value, str):
            continue
        if name not in _SECTIONS or not isinstance(value, dict):
            raise ValueError(
                Errors.EL241.format(path=path, place=f"entry {shown(name)}", value=shown(value))
            )
        for label, target in value.items():
            # YAML reads NO, 1 and the like as other things than text unless they are quoted.
            if not isinstance(label, str):
                raise ValueError(
                    Errors.EL241.format(path=path, place=f"a label in {name!r}", value=shown(label))
                )
            if target is not None and not (isinstance(target, str) and target):
                place = f"{name!r}, {shown(label)}"
                raise ValueError(Errors.EL241.format(path=path, place=place, value=shown(target)))
    return data
