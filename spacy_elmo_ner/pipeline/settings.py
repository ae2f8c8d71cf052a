"""Define settings that come from the config, can be changed on a trained pipe, and are saved."""

import math
import weakref
from collections.abc import Callable, Iterable
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from thinc.api import Config

from ..errors import Errors, shown


class PipelineRef:
    """Refers to the pipeline that made a pipe while it exists; copied together, to its copy."""

    def __init__(self, nlp: Language | None = None) -> None:
        self._ref = None if nlp is None else weakref.ref(nlp)

    def __call__(self) -> Language | None:
        return None if self._ref is None else self._ref()

    def __deepcopy__(self, memo: dict[int, Any]) -> "PipelineRef":
        nlp = self()
        return PipelineRef(memo.get(id(nlp), nlp))

    def __reduce__(self) -> tuple[Any, ...]:
        return PipelineRef, ()


class ConfiguredPipe(TrainablePipe):
    """Saves its settings, and lets a config that is given at loading win over what was saved.

    made_by: the pipeline whose config the settings came from.
    decided: names of the settings that were loaded or set since the config was read.
    """

    cfg: dict[str, Any]
    made_by = PipelineRef()
    decided: frozenset[str] = frozenset()

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Any:
        configured = self._configured()
        super().from_bytes(bytes_data, exclude=exclude)
        settle(self, configured, None)
        return self

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Any:
        configured = self._configured()
        super().from_disk(path, exclude=exclude)
        settle(self, configured, Path(path))
        return self

    def _configured(self) -> dict[str, Any]:
        values = self.cfg["configured"].items()
        return {name: value for name, value in values if name not in self.decided}


class Setting:
    """Describes an attribute of a pipe that is checked when it is set, and saved with the pipe.

    check: (pipe, name, value) -> the value as it is kept; raises ValueError.

    The pipeline's config is kept up to date with it. A config that is given when the pipeline is
    loaded wins over what was saved.
    """

    def __init__(self, default: Any, check: Callable[[Any, str, Any], Any]) -> None:
        self.default = default
        self.check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, pipe: ConfiguredPipe | None, owner: type | None = None) -> Any:
        return self if pipe is None else pipe.cfg[self.name]

    def __set__(self, pipe: ConfiguredPipe, value: Any) -> None:
        pipe.cfg[self.name] = self.check(pipe, self.name, value)
        pipe.decided |= {self.name}
        nlp = pipe.made_by()
        if nlp is None:
            return
        for name, other in nlp.components:
            if other is pipe:
                nlp.get_pipe_config(name)[self.name] = pipe.cfg[self.name]

    def configure(self, pipe: ConfiguredPipe, value: Any) -> None:
        """Set the value that the config gives to a new pipe."""
        pipe.cfg[self.name] = self.check(pipe, self.name, value)
        pipe.cfg.setdefault("configured", {})[self.name] = value


def settings_of(pipe: ConfiguredPipe) -> list[Setting]:
    """Return the settings that the pipe's class defines or inherits."""
    by_name = {
        name: value
        for cls in reversed(type(pipe).__mro__)
        for name, value in vars(cls).items()
        if isinstance(value, Setting)
    }
    return list(by_name.values())


def settle(pipe: ConfiguredPipe, configured: dict[str, Any], folder: Path | None) -> None:
    """Choose, for each setting, between the value just loaded and the one from the config.

    configured: the values in this pipe's config that still count. folder: where the pipe was loaded
    from, or None.
    """
    loaded = pipe.cfg.get("configured", {})
    pipe.cfg["configured"] = loaded | configured
    for setting in settings_of(pipe):
        name = setting.name
        ours = configured.get(name, pipe.cfg[name])
        if is_number(ours) and is_number(pipe.cfg[name]) and math.isclose(ours, pipe.cfg[name]):
            pipe.cfg[name] = ours  # the JSON of srsly changes the last digit
        if pipe.cfg[name] != ours:
            saved = _saved_config(folder)
            if name in saved:
                is_given = ours != saved[name]
            else:  # saved on its own: a default in the config is no decision against it
                is_given = ours not in (setting.default, loaded.get(name, ours))
            if is_given:
                pipe.cfg[name] = ours
        setattr(pipe, name, pipe.cfg[name])  # checked, and told to the config


def _saved_config(folder: Path | None) -> dict[str, Any]:
    """Return the pipe's block of the config.cfg beside its folder, or {} if there is none."""
    if folder is None or not (folder.parent / "config.cfg").is_file():
        return {}
    config = Config().from_disk(folder.parent / "config.cfg", interpolate=False)
    return config.get("components", {}).get(folder.name, {})


def check_threshold(pipe: Any, name: str, value: Any) -> float:
    """Raise ValueError for anything but a number in [0, 1]."""
    if not is_number(value) or not 0 <= value <= 1:
        raise ValueError(Errors.EL169.format(name=name, value=shown(value), range="[0, 1]"))
    return _plain(value)


def check_alternatives(pipe: Any, name: str, value: Any) -> float | None:
    """Raise ValueError for anything but None and a number in (0, 1]."""
    if value is None:
        return None
    if not is_number(value) or not 0 < value <= 1:
        raise ValueError(Errors.EL169.format(name=name, value=shown(value), range="(0, 1]"))
    return _plain(value)


def check_size(pipe: Any, name: str, value: Any) -> float:
    """Raise ValueError for anything but a number of at least 0."""
    if not is_number(value) or not 0 <= value < float("inf"):
        raise _refused(pipe, name, value, "a number of at least 0")
    return _plain(value)


def check_switch(pipe: Any, name: str, value: Any) -> bool:
    """Raise ValueError for anything but True and False."""
    if not isinstance(value, bool | np.bool_):
        raise _refused(pipe, name, value, "True or False")
    return bool(value)


def check_text(pipe: Any, name: str, value: Any) -> str:
    """Raise ValueError for anything but a str."""
    if not isinstance(value, str):
        raise _refused(pipe, name, value, "a str")
    return value


def _refused(pipe: Any, name: str, value: Any, expected: str) -> ValueError:
    return ValueError(
        Errors.EL127.format(pipe=pipe.name, name=name, value=shown(value), expected=expected)
    )


def is_number(value: Any) -> bool:
    """Return whether this is a real number, of Python or numpy."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """Return a number as JSON and configs hold it."""
    return value if type(value) in (int, float) else float(value)
