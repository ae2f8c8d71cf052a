"""What ran where: the facts about a pipeline and the machine that belong beside its scores."""

import os
import platform
import subprocess
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import torch

from .footprint import Footprint
from .pipelines import LoadedPipeline, size_on_disk, weights_kept_elsewhere
from .results import PipelineInfo, Speed

PACKAGES = ("spacy-elmo-ner", "spacy", "thinc", "torch", "seqeval", "nervaluate")


def describe_pipeline(
    pipeline: LoadedPipeline,
    speed: Speed | None,
    label_map: str | None,
    measure: Callable[[], Footprint],
) -> PipelineInfo:
    """Package, components, size and speed; ``measure`` is called where speed was measured."""
    nlp = pipeline.nlp
    notes = []
    if not pipeline.entity_components:
        notes.append("no component sets entities: no NER scores")
    if not pipeline.tag_components:
        notes.append("no component sets tags: no tag scores")
    alone = None
    if speed is not None:
        try:
            alone = measure()
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            notes.append(f"time to load and memory not measured: {error}")
    return PipelineInfo(
        name=pipeline.name,
        source=pipeline.source,
        package=f"{nlp.meta['lang']}_{nlp.meta['name']}",
        version=nlp.meta["version"],
        components=pipeline.components,
        disabled=pipeline.disabled,
        size_bytes=size_on_disk(nlp),
        shared_weights_bytes=weights_kept_elsewhere(nlp, pipeline.components),
        label_map=label_map,
        load_seconds=alone.load_seconds if alone else None,
        peak_memory_bytes=alone.peak_bytes if alone else None,
        speed=speed,
        notes=notes,
    )


def describe_environment() -> dict[str, str]:
    """Versions, processor and threads: what a reader needs to judge the speeds."""
    facts = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": str(os.cpu_count()),
        "torch_threads": str(torch.get_num_threads()),
    }
    for package in PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed as a package"
    return facts
