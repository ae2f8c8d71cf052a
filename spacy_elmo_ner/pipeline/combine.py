"""Make one pipeline of several that differ by their seed: a committee, whose scores are the mean.

Models that were trained alike but began with other weights make other mistakes, and the mean of
their scores makes fewer (Hansen and Salamon 1990). Embeddings and encoders of all members run
side by side on the layers of one shared biLM. Their output layers are linear, so one layer holds
the mean of all, and a CRF the mean of what each learned: decoding costs what it did before.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import spacy
from spacy.language import Language
from spacy.util import load_model_from_config
from thinc.api import Config, Model

from ..corpus.docbin import read_examples
from ..errors import Errors
from .save import require_place, save_pipeline
from .token_classifier import TokenClassifier


def combine_folders(
    pipelines: Sequence[Path], output: Path, dev: Path | None = None
) -> dict[Path, dict[str, Any]]:
    """Save the committee of the pipelines in these folders.

    dev: a .spacy file to score each of them on, and the committee. Returns the scores by folder,
    those of the committee last; none without dev. Raises FileNotFoundError for a folder that does
    not exist, OSError for an output that cannot be written to, ValueError for a folder that is
    named twice (EL543) and as `combine`; nothing is written then.
    """
    for path in pipelines:
        if not path.exists():
            raise FileNotFoundError(Errors.EL520.format(path=path))
    named = [path.resolve() for path in (*pipelines, output)]
    if twice := [path for path in named if named.count(path) > 1]:
        raise ValueError(Errors.EL543.format(path=twice[0]))
    require_place(output)
    members = [spacy.load(path) for path in pipelines]
    committee = combine(members)
    scores: dict[Path, dict[str, Any]] = {}
    if dev is not None:
        for path, nlp in zip([*pipelines, output], [*members, committee], strict=True):
            scores[path] = nlp.evaluate(list(read_examples(dev, nlp)))
    save_pipeline(committee, output)
    return scores


def combine(pipelines: Sequence[Language]) -> Language:
    """Return a pipeline whose `elmo_ner` and `elmo_tagger` score as the pipelines do on average.

    All other pipes, and all settings, are those of the first. The temperature of each pipe is the
    mean; `elmo calibrate` fits it. Raises ValueError for less than two pipelines (EL540) or none of
    our pipes in them (EL521), for a pipe without an encoder or that is a committee (EL541), and
    for pipelines that differ in more than what these pipes learned (EL542).
    """
    if len(pipelines) < 2:
        raise ValueError(Errors.EL540.format(n=len(pipelines)))
    first = pipelines[0]
    names = [name for name, pipe in first.components if isinstance(pipe, TokenClassifier)]
    if not names:
        raise ValueError(Errors.EL521.format(path="The first pipeline", do="combine"))
    config = Config(copy.deepcopy(dict(first.config)))
    for name in names:
        block = config["components"][name]["model"]
        if not block.get("encoder") or block["tok2vec"].get("@layers"):
            raise ValueError(Errors.EL541.format(name=name))
        config["components"][name]["model"] = _side_by_side(block, len(pipelines))
    for number, other in enumerate(pipelines[1:], 2):
        for problem in _differences(first, other, names):
            raise ValueError(Errors.EL542.format(number=number, problem=problem))
    nlp = load_model_from_config(config, meta=first.meta, vocab=first.vocab)
    nlp.meta["performance"] = {}  # of the first pipeline alone
    # The tokenizer and all other pipes, whether they are disabled or not.
    nlp.from_bytes(first.to_bytes(exclude=[*names, "vocab", "config", "meta"]), exclude=names)
    for name in names:
        _fill(
            cast(TokenClassifier, nlp.get_pipe(name)),
            [cast(TokenClassifier, member.get_pipe(name)) for member in pipelines],
        )
    return nlp


def _side_by_side(block: Mapping[str, Any], n_members: int) -> dict[str, Any]:
    """Return the config of a model that has n encoders, each with its own tok2vec."""
    # Names in the order of the layers, also where a config's sections are sorted.
    digits = len(str(n_members))
    members = {
        f"member{number:0{digits}}": {
            "@layers": "chain.v1",
            "*": {
                "embed": copy.deepcopy(block["tok2vec"]),
                "encode": copy.deepcopy(block["encoder"]),
            },
        }
        for number in range(1, n_members + 1)
    }
    tok2vec = {"@layers": "concatenate.v1", "*": members}
    return {**block, "tok2vec": tok2vec, "encoder": None}


def _differences(first: Language, other: Language, names: Sequence[str]) -> Iterator[str]:
    """Yield what keeps a pipeline from being a committee with the first one."""
    for kind in ("component_names", "disabled"):
        ours, theirs = (list(getattr(nlp, kind)) for nlp in (first, other))
        if ours != theirs:
            what = "pipes" if kind == "component_names" else "disabled pipes"
            yield f"the {what} {', '.join(theirs) or '(none)'}, not {', '.join(ours) or '(none)'}"
            return
    for name in names:
        models = [nlp.get_pipe_config(name)["model"] for nlp in (first, other)]
        if models[0] != models[1]:
            yield f"another model in its config for {name}"
        labels = [cast(TokenClassifier, nlp.get_pipe(name)).labels for nlp in (first, other)]
        if labels[0] != labels[1]:
            yield f"other labels in {name}"
    if _vectors(first) != _vectors(other):
        yield "other vectors in its vocab, and only one table can be kept"
    kept = _saved(first)
    for name, saved in _saved(other).items():
        if name not in names and kept.get(name) != saved:
            yield f"another {name}, and only one can be kept"


def _vectors(nlp: Language) -> tuple[Any, ...]:
    """Return what decides which vector a word has."""
    vectors = nlp.vocab.vectors
    return vectors.shape, dict(vectors.key2row), vectors.data.tobytes()


def _saved(nlp: Language) -> dict[str, bytes]:
    """Return what the tokenizer and each pipe save, without words that they happened to read."""
    parts: list[tuple[str, Any]] = [("tokenizer", nlp.tokenizer), *nlp.components]
    return {
        name: part.to_bytes(exclude=["vocab"]) for name, part in parts if hasattr(part, "to_bytes")
    }


def _fill(pipe: TokenClassifier, members: Sequence[TokenClassifier]) -> None:
    """Give a new pipe what its members have learned."""
    pipe.cfg = copy.deepcopy(members[0].cfg)
    pipe.cfg["temperature"] = float(np.mean([member.temperature for member in members]))
    encoders = [member.model.layers[1] for member in members]
    parts = pipe.model.get_ref("tok2vec")
    for part, member, encoder in zip(parts.layers, members, encoders, strict=True):
        tok2vec, encode = part.layers
        tok2vec.from_bytes(member.model.get_ref("tok2vec").to_bytes())
        encode.from_bytes(encoder.to_bytes())
        part.set_dim("nO", encoder.get_dim("nO"))
    parts.set_dim("nO", sum(encoder.get_dim("nO") for encoder in encoders))
    outputs = [member.model.get_ref("output_layer") for member in members]
    output = pipe.model.get_ref("output_layer")
    output.set_dim("nI", parts.get_dim("nO"))
    output.set_dim("nO", outputs[0].get_dim("nO"))
    xp = output.ops.xp
    weights: Any = xp.concatenate([one.get_param("W") for one in outputs], axis=1)
    output.set_param("W", weights / len(members))
    output.set_param("b", _mean(outputs, "b"))
    crfs = [member.model.maybe_get_ref("crf") for member in members]
    if crfs[0] is not None:
        node = pipe.model.get_ref("crf")
        node.from_bytes(crfs[0].to_bytes())
        for name in node.param_names:
            node.set_param(name, _mean(cast(list[Model[Any, Any]], crfs), name))
    for node in pipe.model.walk():
        if output in node.layers or node is pipe.model:
            node.set_dim("nO", output.get_dim("nO"))


def _mean(nodes: Sequence[Model[Any, Any]], name: str) -> Any:
    """Return the mean of a parameter that all of these layers have."""
    values: list[Any] = [node.get_param(name) for node in nodes]
    return sum(values[1:], values[0]) / len(values)
