"""Compute hash embeddings of attributes once for all tokens that share them."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from spacy.ml.featureextractor import FeatureExtractor
from spacy.tokens import Doc
from thinc.api import (
    HashEmbed,
    Maxout,
    Model,
    NumpyOps,
    chain,
    concatenate,
    list2ragged,
    ragged2list,
    with_array,
)
from thinc.layers.chain import forward as run_chain
from thinc.types import Floats2d, Ints1d, Ints2d

from .types import Tok2VecModel

# Up to so many tokens, finding those that are equal takes longer than multiplying them.
_FEW_TOKENS = 128


def build_distinct_hash_embed_v1(width: int, attrs: list[str], rows: list[int]) -> Tok2VecModel:
    """Build Docs -> (n_tokens, width) float32 each: spaCy's MultiHashEmbed.v2 without vectors.

    Results and gradients are the same, but a word that occurs again in a batch is not multiplied
    again.

    width: the number of values per token.
    attrs: the token attributes to embed, such as "NORM", "PREFIX", "SUFFIX" and "SHAPE".
    rows: the number of rows of each attribute's table, in the order of attrs.
    Raises ValueError if attrs and rows differ in number.
    """
    embeddings: list[Model[Ints2d, Floats2d]] = [
        HashEmbed(width, n_rows, column=column, seed=8 + column, dropout=0.0)
        for column, (_, n_rows) in enumerate(zip(attrs, rows, strict=True))
    ]
    mix: Model[Floats2d, Floats2d] = Maxout(
        width, width * len(embeddings), nP=3, dropout=0.0, normalize=True
    )
    embed = cast(Any, with_array(cast(Any, distinct_rows(chain(concatenate(*embeddings), mix)))))
    flat: Any = list2ragged()
    parts: Any = chain(FeatureExtractor(attrs), flat, embed, ragged2list())
    return Model(parts.name, embed_docs, init=parts.init, layers=parts.layers, dims={"nO": width})


def embed_docs(
    model: Tok2VecModel, docs: Sequence[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    """Run the layers one after the other; in prediction for few tokens, in one go.

    What Thinc does around each layer takes several times as long as the layers of a sentence.
    """
    lengths = [len(doc) for doc in docs]
    few = 0 < sum(lengths) <= _FEW_TOKENS
    if is_train or not few or not isinstance(model.ops, NumpyOps):
        return run_chain(cast(Any, model), docs, is_train)
    attrs = model.layers[0].attrs["columns"]
    keys = np.concatenate([doc.to_array(attrs).reshape(len(doc), len(attrs)) for doc in docs])
    ends = np.cumsum(lengths)[:-1]
    return cast(Any, np.split(_predict(model, keys), ends)), lambda d: []


def _predict(model: Tok2VecModel, keys: Any) -> Any:
    """Compute vectors (n_tokens, width) float32 from keys (n_tokens, n_attrs)."""
    ops: Any = model.ops
    embed, mix = model.layers[2].layers[0].layers[0].layers
    embeddings = []
    for node in embed.walk():
        if node.name == "hashembed":
            table, column = node.get_param("E"), np.ascontiguousarray(keys[:, node.attrs["column"]])
            rows = ops.hash(column, node.attrs["seed"]) % len(table)
            embeddings.append(ops.gather_add(table, rows))
    return mix.predict(np.concatenate(embeddings, axis=1))


def distinct_rows(layer: Model[Ints2d, Floats2d]) -> Model[Ints2d, Floats2d]:
    """Wrap a layer so that it runs once per distinct row of its input.

    With dropout it runs over all rows, as equal rows must get different masks. Rows are keys, so
    what backprop returns is no gradient.
    """
    return Model("distinct_rows", forward, init=init, layers=[layer])


def forward(
    model: Model[Ints2d, Floats2d], X: Ints2d, is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Ints2d]]:
    (layer,) = model.layers
    if not len(X):
        return model.ops.alloc2f(0, layer.get_dim("nO")), lambda dY: X
    if is_train and any(node.attrs.get("dropout_rate") for node in layer.walk()):
        return layer(X, is_train)
    ops, xp = model.ops, model.ops.xp
    rows = np.ascontiguousarray(ops.to_numpy(X))
    as_bytes = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, of_row = np.unique(as_bytes, return_index=True, return_inverse=True)
    # Of each row among the distinct ones; int32, for which scatter_add has a fast loop.
    place: Ints1d = xp.asarray(of_row.astype(np.int32))
    Y, backprop_distinct = layer(X[xp.asarray(first)], is_train)

    def backprop(dY: Floats2d) -> Ints2d:
        d_distinct = ops.alloc2f(*Y.shape)
        ops.scatter_add(d_distinct, place, dY)
        return backprop_distinct(d_distinct)

    return Y[place], backprop


def init(model: Model[Ints2d, Floats2d], X: Ints2d | None = None, Y: Any = None) -> None:
    model.layers[0].initialize(X, Y)
