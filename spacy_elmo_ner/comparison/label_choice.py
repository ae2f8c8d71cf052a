"""Which label map goes with which pipeline, and its use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..corpus.label_map import LabelMap
from ..errors import Errors
from .annotation import Annotation
from .gold import GoldCorpus
from .mapping import LabelSets, Translated, translate
from .pipelines import LoadedPipeline


@dataclass(frozen=True)
class LabelMaps:
    """The maps given on the command line: one for all, and those for one pipeline by its name."""

    for_all: tuple[str, LabelMap] | None
    by_pipeline: Mapping[str, tuple[str, LabelMap]]

    def choose(
        self, pipeline: LoadedPipeline, predicted: Sequence[Annotation], gold: LabelSets
    ) -> tuple[str, LabelMap] | None:
        """(path, map) for this pipeline; None where it already speaks gold's labels.

        A map named for the pipeline is always used, the one for all only where it explains a
        label that the pipeline has or predicts and gold does not use. (That a small corpus lacks
        some type does not make a pipeline trained on its scheme a foreign one.)
        """
        if pipeline.name in self.by_pipeline:
            return self.by_pipeline[pipeline.name]
        entities = _declared(pipeline, pipeline.entity_components)
        entities |= {label for each in predicted for _, _, label in each.entities or ()}
        tags = _declared(pipeline, pipeline.tag_components)
        tags |= {tag for each in predicted for tag in each.tags or () if tag}
        if self.for_all is None:
            return None
        _, label_map = self.for_all
        foreign = (entities - set(gold.entities)) & set(label_map.ents)
        foreign |= (tags - set(gold.tags)) & set(label_map.tags)
        return self.for_all if foreign else None

    def targets(self) -> LabelSets:
        """Every label and tag some map sends predictions to."""
        maps = [label_map for _, label_map in self.by_pipeline.values()]
        if self.for_all is not None:
            maps.append(self.for_all[1])
        return LabelSets(
            entities={label for each in maps for label in each.ents.values() if label},
            tags={tag for each in maps for tag in each.tags.values() if tag},
        )


@dataclass(frozen=True)
class Labels:
    """How predictions become gold's labels, and a note of the map each pipeline used."""

    maps: LabelMaps
    gold: LabelSets
    used: dict[str, str]

    def translate(self, pipeline: LoadedPipeline, predicted: Sequence[Annotation]) -> Translated:
        chosen = self.maps.choose(pipeline, predicted, self.gold)
        if chosen is None:
            return translate(pipeline.name, predicted, {}, {}, self.gold)
        path, label_map = chosen
        self.used[pipeline.name] = path
        return translate(pipeline.name, predicted, label_map.ents, label_map.tags, self.gold)


def read_label_maps(arguments: Sequence[str], pipelines: Sequence[str]) -> LabelMaps:
    """Read ``PATH`` (for every pipeline that needs it) and ``NAME=PATH`` arguments.

    Raises ValueError: two maps for the same pipelines (EL314), a NAME that is no pipeline's
    (EL315), or whatever is wrong with the file.
    """
    for_all: tuple[str, LabelMap] | None = None
    by_pipeline: dict[str, tuple[str, LabelMap]] = {}
    for argument in arguments:
        name, equals, path = argument.partition("=")
        if not equals or Path(argument).exists():
            if for_all is not None:
                raise ValueError(Errors.EL314.format(first=for_all[0], second=argument))
            for_all = (argument, LabelMap.from_file(Path(argument)))
        elif name not in pipelines:
            raise ValueError(
                Errors.EL315.format(name=name, path=path, pipelines=", ".join(pipelines))
            )
        elif name in by_pipeline:
            raise ValueError(Errors.EL314.format(first=by_pipeline[name][0], second=path))
        else:
            by_pipeline[name] = (path, LabelMap.from_file(Path(path)))
    return LabelMaps(for_all, by_pipeline)


def gold_labels(corpora: Sequence[GoldCorpus], maps: LabelMaps) -> LabelSets:
    """The labels gold uses: in any of the corpora, and where the label maps lead.

    The maps count because a small corpus need not hold every type of its scheme.
    """
    targets = maps.targets()
    return LabelSets(
        entities=set(targets.entities).union(*(gold.entity_labels for gold in corpora)),
        tags=set(targets.tags).union(*(gold.tag_labels for gold in corpora)),
    )


def _declared(pipeline: LoadedPipeline, components: Sequence[str]) -> set[str]:
    labels = pipeline.nlp.pipe_labels
    return {label for name in components for label in labels.get(name, [])}
