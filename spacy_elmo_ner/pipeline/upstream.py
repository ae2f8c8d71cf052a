"""Find the nodes of later pipes that listen to this one, and link them."""

from typing import Any

from spacy.pipeline.trainable_pipe import TrainablePipe
from thinc.api import Model

from ..errors import Errors
from ..layers.bilm_layer import bilm_shim
from .listening import has_weights


class UpstreamPipe(TrainablePipe):
    """Holds a biLM that nodes of later pipes listen to; `listening.py` is the other end.

    spaCy calls these methods whenever the pipeline changes (spacy.ty.ListenedToComponent).
    """

    def __init__(self) -> None:
        self._listener_map: dict[str, list[Model]] = {}

    @property
    def listener_map(self) -> dict[str, list[Model]]:
        """Return the nodes that listen to this pipe, by the name of their pipe."""
        return self._listener_map

    @listener_map.setter
    def listener_map(self, value: dict[str, list[Model]]) -> None:
        """Let go of all nodes: spaCy sets an empty map before it links a pipeline again.

        It then links the pipes that are enabled. A listener goes on reading from this pipe, for as
        long as it lives, even if it is not found again: its own pipe may be disabled for now, or
        belong to a pipeline that this one was sourced from.
        """
        for node in self.listeners:
            if node.shims:  # has a biLM of its own
                node.attrs["listener"].link(None)
            else:
                node.attrs["listener"].take_news()
        self._listener_map = value

    @property
    def listeners(self) -> list[Model]:
        """Return all nodes that listen to this pipe."""
        return [node for nodes in self.listener_map.values() for node in nodes]

    @property
    def listening_components(self) -> list[str]:
        """Return the names of the pipes that listen to this one."""
        return list(self.listener_map)

    def add_listener(self, listener: Model, component_name: str) -> None:
        """Link a node of this component to this pipe."""
        nodes = self.listener_map.setdefault(component_name, [])
        if listener not in nodes:
            nodes.append(listener)
            listener.attrs["listener"].link(self, bilm_shim(self.model))

    def remove_listener(self, listener: Model, component_name: str) -> bool:
        """Unlink a node. Returns False if it was not linked."""
        nodes = self.listener_map.get(component_name, [])
        if listener not in nodes:
            return False
        nodes.remove(listener)
        if not nodes:
            del self.listener_map[component_name]
        listener.attrs["listener"].link(None)
        return True

    def find_listeners(self, component: Any) -> None:
        """Link the nodes of a later pipe that ask for this one.

        A listener whose upstream pipe is missing, for instance because it was renamed, listens to
        the nearest `elmo` pipe before it. A node with its own biLM (ElmoTok2Vec) is linked only if
        both are frozen and have the same weights, so that linking only saves time.

        Raises ValueError for a listener of another width, or one that was trained with another
        biLM.
        """
        model = getattr(component, "model", None)
        if not isinstance(model, Model):
            return
        for node in model.walk():
            upstream = node.attrs.get("upstream")
            if upstream is None:
                continue
            if upstream not in ("*", self.name) and (node.shims or _has_upstream(node)):
                continue
            if node.shims and not bilm_shim(node).same_weights(bilm_shim(self.model)):
                continue
            if not node.shims:
                self._require_fit(node, component)
            self._take_over(node)
            self.add_listener(node, component.name)

    def _require_fit(self, node: Model, component: Any) -> None:
        names = {"name": component.name, "upstream": self.name}
        if self.model.has_dim("nO") and node.has_dim("nO"):
            upstream_width, width = self.model.get_dim("nO"), node.get_dim("nO")
            if upstream_width != width:
                names["bilm"] = bilm_shim(self.model).name
                raise ValueError(Errors.EL104.format(**names, width=width, found=upstream_width))
        learned, ours = node.attrs["listener"].bilm, bilm_shim(self.model)
        if learned is None or not has_weights(component.model) or learned.same_bilm(ours):
            return
        raise ValueError(Errors.EL121.format(**names, learned=learned.name, found=ours.name))

    def _take_over(self, node: Model) -> None:
        """Unlink a node from an earlier `elmo` pipe: the nearest one before a listener counts."""
        upstream = node.attrs["listener"].upstream
        if isinstance(upstream, UpstreamPipe) and upstream is not self:
            for name in upstream.listening_components:
                upstream.remove_listener(node, name)


def _has_upstream(node: Model) -> bool:
    """Return whether this listener is linked to the pipe it asks for."""
    upstream = node.attrs["listener"].upstream
    return upstream is not None and node.attrs["upstream"] == upstream.name
