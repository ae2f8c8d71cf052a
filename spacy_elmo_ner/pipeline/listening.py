"""Listen to an `elmo` pipe, and report when it is missing."""

import warnings
from typing import Any

from spacy.pipeline.trainable_pipe import TrainablePipe
from thinc.api import Model

from ..errors import Errors, Warnings
from ..layers.elmo_listener import ListenerState


class ListeningPipe(TrainablePipe):
    """Notices when its pipeline lacks the `elmo` pipe that it needs.

    spaCy does not tell a pipe which pipeline it is in. But whenever the pipeline changes, it sets
    the name of every pipe, lets earlier pipes find their listeners, and sets the `listener_map`
    of each pipe that others may listen to. This class therefore implements that interface
    (spacy.ty.ListenedToComponent), although nothing listens to it.
    """

    listeners: tuple[Model, ...] = ()
    listening_components: tuple[str, ...] = ()
    _n_names = 0  # set since the pipeline was last linked; two if this pipe was just sourced

    def add_listener(self, listener: Model, component_name: str) -> None:
        """Do nothing: no pipe listens to this one."""

    def remove_listener(self, listener: Model, component_name: str) -> bool:
        """Return False: no pipe listens to this one."""
        return False

    def find_listeners(self, component: Any) -> None:
        """Do nothing: no pipe listens to this one."""

    @property
    def name(self) -> str:
        return TrainablePipe.name.__get__(self)

    @name.setter
    def name(self, value: str) -> None:
        TrainablePipe.name.__set__(self, value)
        self._n_names += 1

    @property
    def listener_map(self) -> dict[str, list[Model]]:
        """Return an empty map; setting it checks the links of this pipe."""
        return {}

    @listener_map.setter
    def listener_map(self, value: dict[str, list[Model]]) -> None:
        """Check the links, now that all pipes before this one have looked for listeners.

        Raises ValueError if this pipe came from another pipeline without its `elmo` pipe; warns
        if that was removed or disabled here.
        """
        is_sourced, self._n_names = self._n_names > 1, 0
        unlinked = [node for node in self._listener_nodes() if not _state(node).take_news()]
        if not unlinked or not self.is_trained:
            return
        upstream = unlinked[0].attrs["upstream"]
        if is_sourced:
            raise ValueError(Errors.EL120.format(name=self.name, upstream=upstream))
        warnings.warn(Warnings.WL103.format(name=self.name, upstream=upstream), stacklevel=2)

    @property
    def is_trained(self) -> bool:
        """Return whether the model has weights, initialized or loaded."""
        return has_weights(self.model)

    def _listener_nodes(self) -> list[Model]:
        return [node for node in self.model.walk() if "upstream" in node.attrs and not node.shims]


def has_weights(model: Model) -> bool:
    """Return whether any parameter of this model has been initialized or loaded."""
    return any(node.has_param(name) for node in model.walk() for name in node.param_names)


def _state(node: Model) -> ListenerState:
    return node.attrs["listener"]
