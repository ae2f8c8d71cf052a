"""From scores per token and label to tags and entities: arrays in, arrays out."""

from .batch import EntitySpan
from .bio_transitions import BIOTransitions
from .crf import MISSING, CRFLoss, crf_loss, crf_losses
from .entities import (
    Decoded,
    Decoder,
    DecoderMode,
    Reading,
    best_readings,
    decode_entities,
    drop_unlikely,
)
from .k_best import k_best
from .label_scheme import LabelScheme, Span, SpanArrays
from .marginals import Marginals, marginals
from .softmax import best_labels, log_softmax
from .spans import SpanChain
from .transitions import FullTransitions, Transitions
from .viterbi import viterbi

__all__ = [
    "MISSING",
    "BIOTransitions",
    "CRFLoss",
    "Decoded",
    "Decoder",
    "DecoderMode",
    "EntitySpan",
    "FullTransitions",
    "LabelScheme",
    "Marginals",
    "Reading",
    "Span",
    "SpanArrays",
    "SpanChain",
    "Transitions",
    "best_labels",
    "best_readings",
    "crf_loss",
    "crf_losses",
    "decode_entities",
    "drop_unlikely",
    "k_best",
    "log_softmax",
    "marginals",
    "viterbi",
]
