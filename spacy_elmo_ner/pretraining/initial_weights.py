"""Start a biLM from the weights of another one, which may have fewer cells in its LSTMs."""

from dataclasses import replace

import torch

from ..elmo import BiLM
from ..elmo.options import BiLMOptions


def can_start_from(options: BiLMOptions, init: BiLMOptions) -> bool:
    """Tell whether a biLM of these options can start from one of init's.

    Both are the same, or init has fewer cells and is otherwise the same. They need a projection
    then, which decides how much each cell counts.
    """
    have_projections = init.lstm.has_projection and options.lstm.has_projection
    if have_projections and init.lstm.dim < options.lstm.dim:
        init = replace(init, lstm=replace(init.lstm, dim=options.lstm.dim))
    return init == options


@torch.no_grad()
def copy_weights(bilm: BiLM, init: BiLM) -> None:
    """Give a biLM all weights of another one that it can start from.

    Cells that only the biLM has keep their random weights, but their column of the projection is
    zero: at first it computes what init does, and then learns what they are good for. (Chen et
    al. 2016, Net2Net, let a wider network begin as the one that was trained, with copies of units
    instead of new ones.)
    """
    weights = bilm.state_dict()
    for name, known in init.state_dict().items():
        weight = weights[name]
        if weight.shape == known.shape:
            weight.copy_(known)
        elif name.endswith(".projection"):  # (n_out, dim)
            weight.zero_()
            weight[:, : known.shape[1]] = known
        else:  # (4 * dim, ...): input, candidate, forget and output gates
            gates = known.unflatten(0, (4, -1))
            weight.unflatten(0, (4, -1))[:, : gates.shape[1]] = gates
