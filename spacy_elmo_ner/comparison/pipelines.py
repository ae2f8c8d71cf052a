"""Find a pipeline, load it, and choose the components that the task needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.util import is_package
from thinc.api import Model

from ..elmo import pretrained
from ..errors import Errors
from ..layers.bilm_layer import BiLMShim
from ..layers.word_vectors import VectorsShim
from ..pipeline.elmo_ner import ElmoNER
from ..vectors.shared import PACKAGED as PACKAGED_VECTORS

# Attributes, as factories declare them in ``assigns``.
ENTITY_ATTRIBUTES = frozenset({"doc.ents", "token.ent_iob", "token.ent_type"})
TAG_ATTRIBUTES = frozenset({"token.tag"})


class PipelineUnavailableError(Exception):
    """Says that a pipeline is not available here, and in one line how to get it."""


@dataclass(frozen=True)
class LoadedPipeline:
    """Holds a pipeline under the name the comparison shows, and the components the task needs."""

    name: str
    source: str
    nlp: Language
    entity_components: list[str]
    tag_components: list[str]
    components: list[str]

    @property
    def disabled(self) -> list[str]:
        """Return the components that the task does not need; they are disabled while it runs."""
        return [name for name in self.nlp.component_names if name not in self.components]

    @property
    def threshold(self) -> float:
        """Return the confidence below which entities are dropped; 0 if no component drops any."""
        pipes = [self.nlp.get_pipe(name) for name in self.entity_components]
        return max((pipe.threshold for pipe in pipes if isinstance(pipe, ElmoNER)), default=0.0)


def load_pipeline(name: str, source: str) -> LoadedPipeline:
    """Load an installed package or a folder; of several, parted by commas, the first there is.

    Raises PipelineUnavailableError if there is nothing of that name here (EL307, EL308), it does
    not load (EL309), or it sets neither entities nor tags (EL312).
    """
    resolved = _resolve(source)
    try:
        nlp = spacy.load(resolved)
    except (ImportError, OSError, ValueError, KeyError) as error:
        # Where a package is missing, spaCy's guess at the cause is about one's own code.
        problem = str(error).strip().partition("\n")[0].partition(" This usually happens when")[0]
        raise PipelineUnavailableError(
            Errors.EL309.format(source=source, problem=problem.rstrip("."))
        ) from error
    entity_components = _setters(nlp, ENTITY_ATTRIBUTES)
    tag_components = _setters(nlp, TAG_ATTRIBUTES)
    if not entity_components and not tag_components:
        raise PipelineUnavailableError(Errors.EL312.format(source=source))
    needed = _with_dependencies(nlp, {*entity_components, *tag_components})
    components = [pipe for pipe in nlp.pipe_names if pipe in needed]
    return LoadedPipeline(name, resolved, nlp, entity_components, tag_components, components)


def size_on_disk(nlp: Language) -> int:
    """Count the bytes of every file in the pipeline's folder."""
    if nlp.path is None:
        return 0
    return bytes_under(Path(nlp.path))


def weights_kept_elsewhere(nlp: Language, components: Sequence[str]) -> dict[str, int]:
    """Map names to bytes of biLMs and word vectors that these components use but do not save.

    They count for the size of the pipeline although its folder holds only their names.
    """
    sizes = {}
    for name in components:
        model = getattr(nlp.get_pipe(name), "model", None)
        for node in model.walk() if isinstance(model, Model) else ():
            for shim in node.shims:
                if isinstance(shim, BiLMShim) and shim.is_saved_by_name:
                    packaged = pretrained.PACKAGED / shim.name
                    sizes[shim.name] = bytes_under(
                        packaged if packaged.is_dir() else pretrained.CACHE / shim.name
                    )
                elif isinstance(shim, VectorsShim) and shim.name and shim.is_saved_by_name:
                    sizes[shim.name] = bytes_under(PACKAGED_VECTORS / shim.name)
    return sizes


def _resolve(source: str) -> str:
    for one in (source, *source.split(",")):
        if Path(one).exists() or is_package(one):
            return one
    if "/" in source or "\\" in source:
        raise PipelineUnavailableError(Errors.EL308.format(source=source))
    raise PipelineUnavailableError(
        Errors.EL307.format(source=source, first=source.partition(",")[0])
    )


def bytes_under(folder: Path) -> int:
    """Count the bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _setters(nlp: Language, attributes: frozenset[str]) -> list[str]:
    return [name for name in nlp.pipe_names if attributes & set(nlp.get_pipe_meta(name).assigns)]


def _with_dependencies(nlp: Language, components: Iterable[str]) -> set[str]:
    """Add the pipes that these components listen to, and those that set what they require."""
    needed = set(components)
    # From the end: a pipe depends on earlier ones only.
    for position, name in reversed(list(enumerate(nlp.pipe_names))):
        if name not in needed:
            continue
        requires = frozenset(nlp.get_pipe_meta(name).requires)
        for earlier in nlp.pipe_names[:position]:
            listeners = getattr(nlp.get_pipe(earlier), "listening_components", ())
            if name in listeners or requires & set(nlp.get_pipe_meta(earlier).assigns):
                needed.add(earlier)
    return needed
