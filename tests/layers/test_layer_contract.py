"""What every registered layer promises, and what stands within them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model, fix_random_seed, set_dropout_rate

from spacy_elmo_ner.layers.crf import crf
from spacy_elmo_ner.layers.layer_concat import layer_concat
from spacy_elmo_ner.layers.scalar_mix import scalar_mix

NLP = spacy.blank("en")
TEXTS = ["Mary Smith left Paris", "", "Nothing happened there .", "Paris", "Mary and Mary"]
# bfloat16, where training uses it, keeps 8 bits.
EXACT, ROUGH = 2e-3, 5e-2


class Layer(NamedTuple):
    """model: initialized; inputs: of five Docs, the second without tokens; width of an output;
    tolerance: relative, of gradients; upstream: the pipe that a listener needs."""

    model: Model
    inputs: list[Any]
    width: int
    tolerance: float = EXACT
    upstream: Any = None


def docs() -> list[Doc]:
    return [NLP.make_doc(text) for text in TEXTS]


def arrays(*shape: int) -> list[np.ndarray]:
    """A random array of each Doc's length; shape: with -1 for the length."""
    rng = np.random.default_rng(0)
    sizes = [tuple(len(doc) if size < 0 else size for size in shape) for doc in docs()]
    return [rng.normal(size=size).astype("float32") for size in sizes]


def make(architecture: str, **settings: Any) -> Model:
    return registry.architectures.get(f"spacy_elmo_ner.{architecture}")(**settings)


def bilm(folder: Path) -> Layer:
    return Layer(make("BiLM.v1", name=str(folder)), docs(), 4)


def elmo_tok2vec(folder: Path) -> Layer:
    return Layer(make("ElmoTok2Vec.v1", bilm=bilm(folder).model), docs(), 4)


def elmo_tok2vec_2(folder: Path) -> Layer:
    return Layer(make("ElmoTok2Vec.v2", bilm=bilm(folder).model), docs(), 10)


def trained_elmo_tok2vec(folder: Path) -> Layer:
    model = make("ElmoTok2Vec.v1", bilm=bilm(folder).model, trainable=True)
    return Layer(model, docs(), 4, ROUGH)


def trained_elmo_tok2vec_2(folder: Path) -> Layer:
    model = make("ElmoTok2Vec.v2", bilm=bilm(folder).model, trainable=True)
    return Layer(model, docs(), 10, ROUGH)


def elmo_listener(folder: Path) -> Layer:
    return listening(folder, make("ElmoListener.v1", width=4), 4)


def elmo_listener_2(folder: Path) -> Layer:
    return listening(folder, make("ElmoListener.v2", width=4), 10)


def listening(folder: Path, model: Model, width: int) -> Layer:
    nlp = spacy.blank("en")
    elmo = nlp.add_pipe("elmo", config={"model": {"name": str(folder)}})
    elmo.add_listener(model.layers[0], "listening")
    return Layer(model, docs(), width, upstream=elmo)


def hash_embed(folder: Path | None = None) -> Layer:
    model = make("DistinctHashEmbed.v1", width=6, attrs=["NORM", "SHAPE"], rows=[50, 20])
    return Layer(model, docs(), 6)


def word_vectors(folder: Path | None = None) -> Layer:
    return Layer(make("WordVectors.v1", name="glove-en"), docs(), 50)


def concat_1(folder: Path) -> Layer:
    model = make("ElmoConcat.v1", elmo=elmo_tok2vec(folder).model, embed=hash_embed().model)
    return Layer(model, docs(), 10)


def concat_2(folder: Path) -> Layer:
    parts = {"elmo": elmo_tok2vec(folder).model, "embed": hash_embed().model}
    model = make("ElmoConcat.v2", **parts, vectors=word_vectors().model)
    return Layer(model, docs(), 60)


def bilstm(folder: Path | None = None) -> Layer:
    model = make("ResidualBiLSTM.v1", units=5, dropout=0.0, recurrent_dropout=0.0)
    return Layer(model, arrays(-1, 6), 10, ROUGH)


def tagger_1(folder: Path) -> Layer:
    tok2vec = concat_1(folder).model
    model = make("ElmoTagger.v1", tok2vec=tok2vec, encoder=bilstm().model, nO=7)
    return Layer(model, docs(), 7, ROUGH)


def tagger_2(folder: Path) -> Layer:
    tok2vec = elmo_tok2vec(folder).model
    model = make("ElmoTagger.v2", tok2vec=tok2vec, decoder="crf", nO=7)
    return Layer(model, docs(), 7)


def mix(folder: Path) -> Layer:
    return Layer(scalar_mix(3), arrays(3, -1, 4), 4)


def side_by_side(folder: Path) -> Layer:
    return Layer(layer_concat(3), arrays(3, -1, 4), 10)


def full_crf(folder: Path) -> Layer:
    return Layer(crf("full"), arrays(-1, 7), 7)


def structured_crf(folder: Path) -> Layer:
    return Layer(crf("structured"), arrays(-1, 7), 7)


REGISTERED: dict[str, Callable[[Path], Layer]] = {
    "BiLM.v1": bilm,
    "ElmoTok2Vec.v1": elmo_tok2vec,
    "ElmoTok2Vec.v2": elmo_tok2vec_2,
    "ElmoListener.v1": elmo_listener,
    "ElmoListener.v2": elmo_listener_2,
    "ElmoConcat.v1": concat_1,
    "ElmoConcat.v2": concat_2,
    "DistinctHashEmbed.v1": hash_embed,
    "WordVectors.v1": word_vectors,
    "ResidualBiLSTM.v1": bilstm,
    "ElmoTagger.v1": tagger_1,
    "ElmoTagger.v2": tagger_2,
}
WITHIN = [
    trained_elmo_tok2vec,
    trained_elmo_tok2vec_2,
    mix,
    side_by_side,
    full_crf,
    structured_crf,
]


@pytest.fixture(params=[*REGISTERED.values(), *WITHIN], ids=lambda build: build.__name__)
def layer(request: pytest.FixtureRequest, bilm_dir: Path) -> Layer:
    fix_random_seed(0)
    made: Layer = request.param(bilm_dir)
    made.model.initialize(X=made.inputs)
    set_dropout_rate(made.model, 0.0)
    # Not the values of a new layer, many of which are 0 or equal.
    move(made.model, direction(made.model, seed=1), 0.3)
    return made


def test_every_registered_layer_is_under_contract():
    names = {name.split(".", 1)[1] for name in registry.architectures.get_all() if "elmo" in name}
    assert names == set(REGISTERED)


def predict(layer: Layer, inputs: list[Any] | None = None) -> list[np.ndarray]:
    return layer.model.predict(layer.inputs if inputs is None else inputs)


def test_outputs_have_a_row_per_token(layer: Layer):
    found = predict(layer)
    assert [one.shape[-2:] for one in found] == [(len(doc), layer.width) for doc in docs()]
    assert all(one.dtype == np.float32 and np.isfinite(one).all() for one in found)
    if layer.model.has_dim("nO"):
        assert layer.model.get_dim("nO") == layer.width


def test_an_output_is_the_same_in_any_batch(layer: Layer):
    together = predict(layer)
    alone = [predict(layer, [one])[0] for one in layer.inputs]
    backwards = predict(layer, layer.inputs[::-1])[::-1]
    for one, expected, other in zip(alone, together, backwards, strict=True):
        np.testing.assert_allclose(one, expected, atol=1e-5)
        np.testing.assert_allclose(other, expected, atol=1e-5)
    trained, _ = layer.model(layer.inputs, is_train=True)
    for one, expected in zip(trained, together, strict=True):
        np.testing.assert_allclose(one, expected, atol=2e-2 if layer.tolerance == ROUGH else 1e-5)


def test_docs_without_tokens_pass_both_ways(layer: Layer):
    empty = [layer.inputs[1], layer.inputs[1]]
    outputs, backprop = layer.model(empty, is_train=True)
    assert [one.shape[-2:] for one in outputs] == [(0, layer.width)] * 2
    backprop([np.zeros_like(one) for one in outputs])


def test_gradients_are_those_of_finite_differences(layer: Layer):
    """Along a random direction in all that the layer learns, and in its inputs."""
    rng = np.random.default_rng(2)
    outputs, backprop = layer.model(layer.inputs, is_train=True)
    weights = [rng.normal(size=one.shape).astype("float32") for one in outputs]
    d_inputs = backprop(weights)
    step, way = 2e-3, direction(layer.model, seed=3)

    def value(inputs: list[Any] | None = None) -> float:
        found = predict(layer, inputs)
        return sum(
            float((a * b).sum(dtype=np.float64)) for a, b in zip(found, weights, strict=True)
        )

    if way:
        expected = sum(float((gradient(one) * d).sum()) for one, d in way)
        scale = np.sqrt(sum(float((gradient(one) ** 2).sum()) for one, _ in way))
        up, down = (moved(layer, way, sign * step, value) for sign in (1, -1))
        assert (up - down) / (2 * step) == pytest.approx(expected, abs=3 * layer.tolerance * scale)
    if isinstance(layer.inputs[0], np.ndarray):
        ways = [rng.normal(size=one.shape).astype("float32") for one in layer.inputs]
        expected = sum(float((d * w).sum()) for d, w in zip(d_inputs, ways, strict=True))
        up, down = (
            value([x + sign * step * w for x, w in zip(layer.inputs, ways, strict=True)])
            for sign in (1, -1)
        )
        scale = np.sqrt(sum(float((d**2).sum()) for d in d_inputs))
        assert (up - down) / (2 * step) == pytest.approx(expected, abs=3 * layer.tolerance * scale)


def test_bytes_bring_everything(layer: Layer, bilm_dir: Path):
    expected = predict(layer)
    data = layer.model.to_bytes()
    move(layer.model, direction(layer.model, seed=4), 1.0)
    if learns(layer.model):
        assert not same(predict(layer), expected)
    layer.model.from_bytes(data)
    assert same(predict(layer), expected)
    assert layer.model.to_bytes() == data


def test_a_copy_is_equal_and_learns_apart(layer: Layer):
    expected = predict(layer)
    other = layer._replace(model=layer.model.copy())
    assert same(predict(other), expected)
    move(other.model, direction(other.model, seed=5), 1.0)
    assert same(predict(layer), expected)
    if learns(layer.model):
        assert not same(predict(other), expected)


# ---- all that a layer learns ---------------------------------------------------------------


class Parameter(NamedTuple):
    """A Thinc parameter by node and name, or a torch parameter."""

    node: Any
    name: str | None


Direction = list[tuple[Parameter, np.ndarray]]


def parameters(model: Model) -> list[Parameter]:
    found = []
    for node in model.walk():
        found += [Parameter(node, name) for name in node.param_names if node.has_param(name)]
        for shim in node.shims:
            module = getattr(shim, "module", None)
            learned = [] if module is None else module.parameters()
            found += [Parameter(one, None) for one in learned if one.requires_grad]
    return found


def learns(model: Model) -> bool:
    """Does its output depend on what it learns? A CRF's parameters count in the loss only."""
    return bool(parameters(model)) and "crf" not in model.name


def direction(model: Model, seed: int) -> Direction:
    rng = np.random.default_rng(seed)
    shape = {
        one: one.node.get_param(one.name).shape if one.name else tuple(one.node.shape)
        for one in parameters(model)
    }
    return [(one, rng.normal(size=size).astype("float32")) for one, size in shape.items()]


def gradient(one: Parameter) -> np.ndarray:
    if one.name is None:
        return np.zeros(one.node.shape) if one.node.grad is None else one.node.grad.numpy()
    found = one.node.get_grad(one.name) if one.node.has_grad(one.name) else None
    return np.zeros_like(one.node.get_param(one.name)) if found is None else found


def move(model: Model, way: Direction, step: float) -> None:
    for one, d in way:
        if one.name is None:
            with torch.no_grad():
                one.node.add_(step * torch.from_numpy(d))
        else:
            one.node.set_param(one.name, one.node.get_param(one.name) + step * d)


def moved(layer: Layer, way: Direction, step: float, value: Callable[[], float]) -> float:
    move(layer.model, way, step)
    found = value()
    move(layer.model, way, -step)
    return found


def same(found: list[np.ndarray], expected: list[np.ndarray]) -> bool:
    return all(np.allclose(a, b, atol=1e-5) for a, b in zip(found, expected, strict=True))
