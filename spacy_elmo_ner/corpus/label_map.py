"""Label maps: which label of one scheme is which of another, in a file people can edit.

    {"description": "...", "ents": {"PERSON": "per", "CARDINAL": null}, "tags": {"-LRB-": "LRB"}}

null says: known, but the other scheme has nothing like it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import srsly

from ..errors import Errors

_SECTIONS = ("ents", "tags")
_EXAMPLE = "assets/label_maps/ontonotes-gmb.json"


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
        read = srsly.read_yaml if path.suffix in (".yml", ".yaml") else srsly.read_json
        try:
            data = read(path)
        # srsly raises ValueError for bad JSON and YAML, OSError for a file it cannot open.
        except (OSError, ValueError) as err:
            raise ValueError(Errors.EL240.format(path=path, problem=err, example=_EXAMPLE)) from err
        return cls(source=str(path), **_checked(path, data))


def _checked(path: Path, data: object) -> dict[str, Any]:
    """The file's entries, once every one is known to be what it should be."""
    if not isinstance(data, dict):
        raise ValueError(Errors.EL241.format(path=path, place="the file", value=data))
    if not any(section in data for section in _SECTIONS):
        raise ValueError(Errors.EL241.format(path=path, place="the list of entries", value=[*data]))
    for name, value in data.items():
        if name == "description" and isinstance(value, str):
            continue
        if name not in _SECTIONS or not isinstance(value, dict):
            raise ValueError(Errors.EL241.format(path=path, place=f"entry {name!r}", value=value))
        for label, target in value.items():
            # YAML reads NO, 1 and the like as other things than text unless they are quoted.
            if not isinstance(label, str):
                raise ValueError(
                    Errors.EL241.format(path=path, place=f"a label in {name!r}", value=label)
                )
            if target is not None and not (isinstance(target, str) and target):
                place = f"{name!r}, {label!r}"
                raise ValueError(Errors.EL241.format(path=path, place=place, value=target))
    return data
