"""Which label map goes with which pipeline, and its use."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..corpus.label_map import LabelMap
from ..errors import Errors
from .annotation import Annotation
from .gold import GoldCorpus
from .mapping import LabelSets, Translated, entity_targets, translate
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
            entities={label for each in maps for label in entity_targets(each.ents)},
            tags={tag for each in maps for tag in each.tags.values() if tag},
        )


@dataclass(frozen=True)
class Labels:
    """How predictions become gold's labels, and a note of the map each pipeline used."""

    maps: LabelMaps
    gold: LabelSets
    used: dict[str, tuple[str, LabelMap]]

    def translate(
        self,
        pipeline: LoadedPipeline,
        predicted: Sequence[Annotation],
        gold: Sequence[Annotation] | None = None,
    ) -> Translated:
        """Predictions in gold's labels; without ``gold`` every unexplained label is let through."""
        chosen = self.maps.choose(pipeline, predicted, self.gold)
        known = self.gold
        if gold is None:
            known = LabelSets(
                {label for each in predicted for _, _, label in each.entities or ()},
                {tag for each in predicted for tag in each.tags or ()},
            )
        if chosen is None:
            return translate(pipeline.name, predicted, {}, {}, known, gold)
        self.used[pipeline.name] = chosen
        label_map = chosen[1]
        return translate(pipeline.name, predicted, label_map.ents, label_map.tags, known, gold)

    def path(self, pipeline: str) -> str | None:
        """The file of the map this pipeline used, if any."""
        return self.used[pipeline][0] if pipeline in self.used else None

    def unreachable(self, pipeline: LoadedPipeline, gold: GoldCorpus) -> dict[str, int]:
        """Gold's entities, by label, that nothing this pipeline can predict is mapped to."""
        if pipeline.name not in self.used or not pipeline.entity_components:
            return {}
        _, label_map = self.used[pipeline.name]
        declared = _declared(pipeline, pipeline.entity_components)
        reached = entity_targets(
            {label: target for label, target in label_map.ents.items() if label in declared}
        )
        reached |= declared - set(label_map.ents)
        counts = Counter(label for each in gold.annotations for _, _, label in each.entities or ())
        return {label: n for label, n in counts.most_common() if label not in reached}


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
