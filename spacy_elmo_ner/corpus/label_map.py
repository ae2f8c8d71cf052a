"""Read a label map: what each label of one scheme is in another, from JSON or YAML.

    {"description": "...", "ents": {"PERSON": "per", "CARDINAL": null}, "tags": {"-LRB-": "LRB"}}

null means that the other scheme has nothing like this label; "geo|gpe" that it may be either.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import srsly
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ..errors import Errors, shown

# Between gold labels that one predicted label may mean: "GPE|LOC". For entities only.
EITHER = "|"

_EXAMPLE = "assets/label_maps/ontonotes-gmb.json"
_MOST_BYTES = 1 << 18  # ours have less than 1 KB

LabelTable = Mapping[str, str | None]


def _either(target: str) -> str:
    """Return the labels of a target without blanks around them; raises ValueError for no label."""
    labels = [label.strip() for label in target.split(EITHER)]
    if not all(labels):
        raise ValueError("a label is missing")
    return EITHER.join(labels)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    description: str = ""
    ents: dict[str, Annotated[str, AfterValidator(_either)] | None] = {}
    tags: dict[str, Annotated[str, Field(min_length=1)] | None] = {}


class LabelMap(_File):
    """Maps entity labels and tags of one scheme to those of another; ``source`` names the file."""

    source: str

    @classmethod
    def from_file(cls, path: str | Path) -> "LabelMap":
        """Read a .json, .yml or .yaml file.

        Raises ValueError for a file that cannot be read (EL240) or is not a label map (EL241).
        """
        is_yaml = Path(path).suffix.lower() in (".yml", ".yaml")
        read = srsly.yaml_loads if is_yaml else _json_loads
        try:
            data = read(_text(Path(path)))
        # srsly raises ValueError for all errors of the YAML reader.
        except (OSError, ValueError, RecursionError) as err:
            raise ValueError(Errors.EL240.format(path=path, problem=err, example=_EXAMPLE)) from err
        try:
            if isinstance(data, dict) and not {"ents", "tags"} & data.keys():
                place, value = "the list of entries", [*data]
            else:
                return cls(source=str(path), **_File.model_validate(data).model_dump())
        except ValidationError as err:
            place, value = _place(err)
        raise ValueError(Errors.EL241.format(path=path, place=place, value=shown(value)))

    @property
    def entity_targets(self) -> set[str]:
        """Return every gold label that a label of this map may become."""
        return entity_targets(self.ents)


def _json_loads(text: str) -> Any:
    """Read JSON in which no object has a key twice, as YAML's reader does."""
    return json.loads(text, object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = [key for key, n in Counter(key for key, _ in pairs).items() if n > 1]
    if twice:
        raise ValueError(f"{shown(twice[0])} is there more than once")
    return dict(pairs)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
    return data.decode("utf-8-sig")


def _place(error: ValidationError) -> tuple[str, Any]:
    """Say where the first problem is, and return the value there."""
    first = error.errors()[0]
    if not first["loc"]:
        return "the file", first["input"]
    section, *label = first["loc"]
    if label[-1:] == ["[key]"]:
        # YAML reads NO, 1 and the like as something other than text unless they are quoted.
        return f"a label in {section!r}", first["input"]
    place = f"{section!r}, {shown(label[0])}" if label else f"entry {shown(section)}"
    return place, first["input"]


def entity_targets(table: LabelTable) -> set[str]:
    """Return every gold label that a label of the table may become."""
    return {label for target in table.values() if target for label in target.split(EITHER)}
