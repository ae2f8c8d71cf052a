"""Turn scores per token and label into tags and entities: arrays in, arrays out."""

from .bio_transitions import BIOTransitions
from .crf import MISSING, CRFLoss, crf_loss, crf_losses
from .documents import EntitySpan
from .emissions import log_softmax
from .entities import (
    Decoded,
    Decoder,
    DecoderMode,
    Reading,
    best_readings,
    decode_entities,
    drop_unlikely,
)
from .label_scheme import LabelScheme, SpanArrays, bio_to_spans, spans_to_bio
from .marginals import Marginals, marginals
from .spans import SpanChain
from .transitions import FullTransitions, Transitions
from .viterbi import k_best, viterbi

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
    "SpanArrays",
    "SpanChain",
    "Transitions",
    "best_readings",
    "bio_to_spans",
    "crf_loss",
    "crf_losses",
    "decode_entities",
    "drop_unlikely",
    "k_best",
    "log_softmax",
    "marginals",
    "spans_to_bio",
    "viterbi",
]
