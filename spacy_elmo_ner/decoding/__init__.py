"""From scores per token and label to tags and entities: arrays in, arrays out."""

from .crf import MISSING, CRFLoss, crf_loss
from .entities import DecoderMode, EntitySpan, Transitions, decode_entities
from .label_scheme import LabelScheme, Span, SpanArrays
from .marginals import Marginals, marginals
from .softmax import best_labels, log_softmax
from .viterbi import viterbi

__all__ = [
    "MISSING",
    "CRFLoss",
    "DecoderMode",
    "EntitySpan",
    "LabelScheme",
    "Marginals",
    "Span",
    "SpanArrays",
    "Transitions",
    "best_labels",
    "crf_loss",
    "decode_entities",
    "log_softmax",
    "marginals",
    "viterbi",
]
