"""Layers that are tried for the recipe and not part of the package."""

from collections.abc import Callable

from spacy.attrs import NORM
from spacy.util import registry
from thinc.api import Linear, Model, chain, with_array
from thinc.types import Ints2d

from spacy_elmo_ner.layers.types import Tok2VecModel


@registry.architectures("benchmarks.Projected.v1")
def build_projected_v1(vectors: Tok2VecModel, width: int) -> Tok2VecModel:
    """Docs -> (n_tokens, width) float32 each: vectors through a learned linear layer."""
    model: Tok2VecModel = chain(vectors, with_array(Linear(width, vectors.get_dim("nO"))))
    model.set_dim("nO", width)
    return model


@registry.architectures("benchmarks.WordDropout.v1")
def build_word_dropout_v1(embed: Tok2VecModel, share: float) -> Tok2VecModel:
    """A hash embedding whose word (NORM) is hidden from a share of the tokens in training."""
    (extractor,) = (node for node in embed.walk() if node.name == "extract_features")
    assert "NORM" in extractor.attrs["columns"] or NORM in extractor.attrs["columns"]
    inner = extractor._func

    def forward(
        model: Model, docs: list, is_train: bool
    ) -> tuple[list[Ints2d], Callable[[list[Ints2d]], list]]:
        features, backprop = inner(model, docs, is_train)
        if is_train:
            for one in features:
                hidden = model.ops.xp.random.uniform(size=len(one)) < share
                one[hidden, 0] = 0
        return features, backprop

    extractor._func = forward
    return embed
