"""Define settings that come from the config, can be changed on a trained pipe, and are saved."""

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from spacy.language import Language
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


class HasSettings(Protocol):
    """Has cfg, which is saved, and made_by, the pipeline whose config the settings came from."""

    cfg: dict[str, Any]
    made_by: PipelineRef


class Setting:
    """Describes an attribute of a pipe that is checked when it is set, and saved with the pipe.

    The pipeline's config is kept up to date with it. A config that is given when the pipeline is
    loaded wins over what was saved.
    """

    def __init__(self, default: Any, check: Callable[[str, Any], Any]) -> None:
        self.default = default
        self.check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, pipe: HasSettings | None, owner: type | None = None) -> Any:
        return self if pipe is None else pipe.cfg[self.name]

    def __set__(self, pipe: HasSettings, value: Any) -> None:
        pipe.cfg[self.name] = self.check(self.name, value)
        nlp = pipe.made_by()
        if nlp is None:
            return
        for name, other in nlp.components:
            if other is pipe:
                nlp.get_pipe_config(name)[self.name] = value

    def configure(self, pipe: HasSettings, value: Any) -> None:
        """Set the value that the config gives to a new pipe."""
        pipe.cfg[self.name] = self.check(self.name, value)
        pipe.cfg.setdefault("configured", {})[self.name] = value


def settings_of(pipe: HasSettings) -> list[Setting]:
    """Return the settings that the pipe's class defines."""
    return [value for value in vars(type(pipe)).values() if isinstance(value, Setting)]


def settle(pipe: HasSettings, configured: dict[str, Any], folder: Path | None) -> None:
    """Choose, for each setting, between the value just loaded and the one from the config.

    configured: the values in this pipe's config. folder: where the pipe was loaded from, or None.
    """
    loaded = pipe.cfg.get("configured", {})
    pipe.cfg["configured"] = configured
    for setting in settings_of(pipe):
        name, ours = setting.name, configured[setting.name]
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


def check_threshold(name: str, value: Any) -> float:
    """Raise ValueError for anything but a number in [0, 1]."""
    if not _is_number(value) or not 0 <= value <= 1:
        raise ValueError(Errors.EL169.format(name=name, value=shown(value), range="[0, 1]"))
    return value


def check_alternatives(name: str, value: Any) -> float | None:
    """Raise ValueError for anything but None and a number in (0, 1]."""
    if value is not None and (not _is_number(value) or not 0 < value <= 1):
        raise ValueError(Errors.EL169.format(name=name, value=shown(value), range="(0, 1]"))
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
