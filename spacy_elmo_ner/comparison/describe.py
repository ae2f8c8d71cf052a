"""What ran where: the facts about a pipeline and the machine that belong beside its scores."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version

import torch

from .pipelines import (
    LoadedPipeline,
    load_seconds,
    size_on_disk,
    weights_kept_elsewhere,
)
from .results import PipelineInfo, Speed

PACKAGES = ("spacy-elmo-ner", "spacy", "thinc", "torch", "seqeval", "nervaluate")


def describe_pipeline(
    pipeline: LoadedPipeline, speed: Speed | None, label_map: str | None
) -> PipelineInfo:
    """Package, components, size and speed; the time to load is measured where speed was."""
    nlp = pipeline.nlp
    notes = []
    if not pipeline.entity_components:
        notes.append("no component sets entities: no NER scores")
    if not pipeline.tag_components:
        notes.append("no component sets tags: no tag scores")
    seconds = None
    if speed is not None:
        try:
            seconds = load_seconds(pipeline.source, pipeline.components)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            notes.append(f"time to load not measured: {error}")
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
        load_seconds=seconds,
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
