"""Find the most probable annotation errors of a corpus.

The probabilities must come from models that were not trained on the texts they judge.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..corpus.docs import blank_copy
from ..decoding import MISSING, EntitySpan
from ..pipeline.confidence import decoded_entities
from ..pipeline.elmo_ner import ElmoNER
from ..pipeline.token_classifier import BATCH_DOCS, TokenClassifier
from .confident_learning import Suspects, find_suspects
from .rows import AuditRow, context, entity_regions, kind_of, spelled


@dataclass
class Judged:
    """Holds a pipe's judgement, Doc by Doc, of annotated Docs that it was not trained on.

    probabilities: (n_tokens, n_classes) float64; gold: (n_tokens,) int64; entities: those of its
    best reading, if the pipe finds entities. labels: names of the classes.
    """

    labels: tuple[str, ...]
    finds_entities: bool
    docs: list[Doc] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)  # places of the Docs in the corpus
    probabilities: list[NDArray[np.float64]] = field(default_factory=list)
    gold: list[NDArray[np.int64]] = field(default_factory=list)
    entities: list[list[EntitySpan]] = field(default_factory=list)

    @property
    def n_annotated(self) -> int:
        """Return the number of tokens that are annotated with a label of the pipe."""
        return sum(int((gold != MISSING).sum()) for gold in self.gold)

    def add(self, other: "Judged") -> None:
        """Add the judgement of another fold's pipeline on its Docs.

        It may lack rare labels, which it then never suggests, or have others.
        """
        place = np.asarray([self.labels.index(label) for label in other.labels])
        for p, gold in zip(other.probabilities, other.gold, strict=True):
            spread = np.zeros((len(p), len(self.labels)))
            spread[:, place] = p
            self.probabilities.append(spread)
            self.gold.append(np.where(gold == MISSING, MISSING, place[gold]))
        self.numbers += other.numbers
        self.docs += other.docs
        self.entities += other.entities


def judge(nlp: Language, docs: Iterable[tuple[int, Doc]]) -> dict[str, Judged]:
    """Run a pipeline over annotated Docs with their places in the corpus.

    Returns the judgement of each elmo_ner and elmo_tagger by its name.
    """
    pipes = {name: pipe for name, pipe in nlp.pipeline if isinstance(pipe, TokenClassifier)}
    judgements = {
        name: Judged(
            pipe.scheme.labels if isinstance(pipe, ElmoNER) else pipe.labels,
            isinstance(pipe, ElmoNER),
        )
        for name, pipe in pipes.items()
    }
    # What comes after our last pipe, such as merge_entities, would only change its tokens.
    names = nlp.pipe_names
    needed = names[: max((names.index(name) + 1 for name in pipes), default=0)]
    for batch in minibatch(docs, size=BATCH_DOCS):
        gold = [doc for _, doc in batch]
        with nlp.select_pipes(enable=needed):
            predicted = list(nlp.pipe(blank_copy(doc, nlp.vocab) for doc in gold))
        onto_gold = [_words_onto(*docs) for docs in zip(predicted, gold, strict=True)]
        for name, pipe in pipes.items():
            judged = judgements[name]
            judged.numbers += [number for number, _ in batch]
            judged.docs += gold
            of_gold = (pipe.gold_classes(Example(doc, doc)) for doc in gold)
            found = zip(pipe.label_probabilities(predicted), of_gold, onto_gold, strict=True)
            for probabilities, classes, place in found:
                # The pipeline's own token where it has cut this word as gold has, or nothing.
                judged.probabilities.append(
                    np.where((place >= 0)[:, None], probabilities[place], 1 / pipe.n_classes)
                    if len(probabilities)
                    else np.full((len(place), pipe.n_classes), 1 / pipe.n_classes)
                )
                judged.gold.append(np.where(place >= 0, classes, MISSING))
            for doc, place in zip(predicted, onto_gold, strict=True):
                judged.entities.append(_on_words(decoded_entities(doc).entities, place))
    return judgements


def _words_onto(predicted: Doc, gold: Doc) -> NDArray[np.int64]:
    """Return the token of a predicted Doc that is the same word as each of gold's, or -1."""
    if [token.text for token in predicted] == [token.text for token in gold]:
        return np.arange(len(gold))
    alignment = Example(predicted, gold).alignment
    place = np.full(len(gold), -1)
    for word in range(len(gold)):
        tokens = alignment.y2x[word]
        if len(tokens) == 1 and len(alignment.x2y[int(tokens[0])]) == 1:
            place[word] = tokens[0]
    return place


def _on_words(entities: Iterable[EntitySpan], place: NDArray[np.int64]) -> list[EntitySpan]:
    """Return the entities on gold's words, without those that end in a word cut otherwise."""
    word = {token: i for i, token in enumerate(place.tolist()) if token >= 0}
    return [
        span._replace(start=word[span.start], end=word[span.end - 1] + 1)
        for span in entities
        if span.start in word and span.end - 1 in word
    ]


def audit(judged: Judged) -> list[AuditRow]:
    """List probable errors, most suspicious first."""
    if not judged.n_annotated:
        return []
    probabilities, gold = np.concatenate(judged.probabilities), np.concatenate(judged.gold)
    suspects = find_suspects(probabilities, gold)
    ends = np.cumsum([len(gold) for gold in judged.gold])
    of_doc = np.searchsorted(ends, suspects.rows, side="right")
    order = np.argsort(of_doc, kind="stable")
    docs, begins = np.unique(of_doc[order], return_index=True)
    # Split at every begin, also the first, so that no suspects make no parts instead of one.
    parts = np.split(order, begins)[1:]
    rows: list[AuditRow] = []
    for which, part in zip(docs.tolist(), parts, strict=True):
        first = int(ends[which]) - len(judged.gold[which])
        here = Suspects(
            suspects.rows[part] - first, suspects.suggested[part], suspects.margins[part]
        )
        find = _entity_rows if judged.finds_entities else _tag_rows
        rows += find(judged, which, here)
    return sorted(rows, key=lambda row: (-row.margin, row.doc, row.start))


def _entity_rows(judged: Judged, which: int, suspects: Suspects) -> list[AuditRow]:
    """List the places where the best reading differs from gold at a suspicious token."""
    doc, rows = judged.docs[which], []
    gold = [EntitySpan(ent.start, ent.end, ent.label_, 1.0) for ent in doc.ents]
    for annotated, suggested in entity_regions(gold, judged.entities[which]):
        start = min(span.start for span in (*annotated, *suggested))
        end = max(span.end for span in (*annotated, *suggested))
        inside = np.flatnonzero((suspects.rows >= start) & (suspects.rows < end))
        if len(inside):
            # The first is the most suspicious.
            p_gold, p_suggested = _probabilities(judged, which, suspects, int(inside[0]))
            rows.append(
                AuditRow(
                    doc=judged.numbers[which],
                    start=start,
                    end=end,
                    kind=kind_of(annotated, suggested),
                    gold=spelled(doc, annotated),
                    suggested=spelled(doc, suggested),
                    margin=float(suspects.margins[inside[0]]),
                    p_gold=p_gold,
                    p_suggested=p_suggested,
                    context=context(doc, start, end),
                )
            )
    return rows


def _tag_rows(judged: Judged, which: int, suspects: Suspects) -> list[AuditRow]:
    doc, rows = judged.docs[which], []
    for place, (token, suggested, margin) in enumerate(zip(*suspects, strict=True)):
        p_gold, p_suggested = _probabilities(judged, which, suspects, place)
        rows.append(
            AuditRow(
                doc=judged.numbers[which],
                start=int(token),
                end=int(token) + 1,
                kind="tag",
                gold=doc[int(token)].tag_,
                suggested=judged.labels[suggested],
                margin=float(margin),
                p_gold=p_gold,
                p_suggested=p_suggested,
                context=context(doc, int(token), int(token) + 1),
            )
        )
    return rows


def _probabilities(
    judged: Judged, which: int, suspects: Suspects, place: int
) -> tuple[float, float]:
    """Return P(annotated class) and P(suggested class) at one suspicious token."""
    token = suspects.rows[place]
    of_token = judged.probabilities[which][token]
    return (
        float(of_token[judged.gold[which][token]]),
        float(of_token[suspects.suggested[place]]),
    )


def label_pairs(judged: Judged) -> list[tuple[str, str, int]]:
    """Count suspicious tokens by (annotated, suggested) class, the most frequent pair first."""
    if not judged.n_annotated:
        return []
    gold = np.concatenate(judged.gold)
    suspects = find_suspects(np.concatenate(judged.probabilities), gold)
    pairs = np.stack([gold[suspects.rows], suspects.suggested])
    kinds, counts = np.unique(pairs, axis=1, return_counts=True)
    triples = [
        (judged.labels[ours], judged.labels[theirs], int(n))
        for (ours, theirs), n in zip(kinds.T.tolist(), counts, strict=True)
    ]
    return sorted(triples, key=lambda pair: (-pair[2], pair))


def merge(folds: Sequence[dict[str, Judged]]) -> dict[str, Judged]:
    """Join the folds of a cross-validation, in order."""
    merged = {}
    for name, judged in folds[0].items():
        labels = dict.fromkeys(label for fold in folds for label in fold[name].labels)
        merged[name] = Judged(tuple(labels), judged.finds_entities)
        for fold in folds:
            merged[name].add(fold[name])
    return merged
