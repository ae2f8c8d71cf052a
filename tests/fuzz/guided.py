"""One reader under atheris, which keeps inputs that reach new lines of ours and changes those.

``python -m tests.fuzz.guided TARGET SECONDS``; meant to be run by `tests.fuzz.readers --guided`.
Stops at the first input that breaks the reader and leaves it in tests/fuzz/broken.
"""

import sys
import warnings
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit('atheris is not installed: pip install "spacy-elmo-ner[fuzz]"')

import torch  # before ours: only our own lines are to guide

with atheris.instrument_imports(include=["spacy_elmo_ner"]):
    from . import results
    from .targets import Target, make_targets, outcome, scratch_folder


def main(name: str, seconds: int) -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    results.BROKEN.mkdir(exist_ok=True)
    with scratch_folder() as folder:
        target = make_targets(Path(folder))[name]()
        corpus, words = Path(folder, "corpus"), Path(folder, "words")
        corpus.mkdir()
        for i, seed in enumerate(target.seeds):
            (corpus / str(i)).write_bytes(seed)
        # A dictionary of libFuzzer: a quoted word a line, each byte as \xAB.
        lines = ("".join(f"\\x{byte:02X}" for byte in word) for word in target.words)
        words.write_text("".join(f'"{line}"\n' for line in lines), encoding="ascii")
        options = {
            **({"dict": words} if target.words else {}),
            "max_total_time": seconds,
            "max_len": 2 * max(map(len, target.seeds)),
            "timeout": 300,  # of the clock, on a machine that may have other work
            "rss_limit_mb": 6000,
            "print_final_stats": 1,
            "artifact_prefix": f"{results.BROKEN / name}.guided-",
        }
        arguments = [f"-{key}={value}" for key, value in options.items()]
        atheris.Setup([sys.argv[0], *arguments, str(corpus)], lambda data: _one(target, data))
        atheris.Fuzz()


def _one(target: Target, data: bytes) -> None:
    outcome(target, data)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
