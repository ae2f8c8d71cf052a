"""From 200 annotated sentences in a CoNLL file to a pipeline that finds entities.

python examples/own_corpus/train.py assets/sample/train.conll --output own
"""

import argparse
import subprocess
import sys
from pathlib import Path

import spacy

N_TRAIN, N_DEV = 200, 50


def sentences(path: Path) -> list[str]:
    """Return the blocks of a CoNLL file, without its comments."""
    text = path.read_text(encoding="utf8")
    lines = [line for line in text.splitlines() if not line.startswith("# ")]
    return [block for block in "\n".join(lines).strip().split("\n\n") if block.strip()]


def run(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "spacy", *map(str, arguments)]
    print("$ python", *command[1:], flush=True)
    subprocess.run(command, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path, help="CoNLL file, more than 250 sentences")
    parser.add_argument("--output", type=Path, default=Path("own"))
    parser.add_argument("--steps", type=int, default=300)
    arguments = parser.parse_args()
    output: Path = arguments.output

    # 1. 200 sentences to learn from and 50 others to choose the best of all steps by. Have them
    # in files of your own? Then begin with the second step.
    output.mkdir(parents=True, exist_ok=True)
    found = sentences(arguments.corpus)
    if len(found) < N_TRAIN + N_DEV:
        raise SystemExit(f"{arguments.corpus} has {len(found)} sentences, too few.")
    parts = {"train": found[:N_TRAIN], "dev": found[N_TRAIN : N_TRAIN + N_DEV]}
    for name, part in parts.items():
        (output / f"{name}.conll").write_text("\n\n".join(part) + "\n", encoding="utf8")

    # 2. Check them, and write .spacy files and a config.
    run("elmo", "init", output / "corpus", "--train", output / "train.conll", "--dev",
        output / "dev.conll", "--no-tags")  # fmt: skip

    # 3. Train. Two to four minutes on two cores.
    steps = str(arguments.steps)
    every = str(max(1, arguments.steps // 6))
    run("train", output / "corpus/config.cfg", "--output", output / "training",
        "--training.max_steps", steps, "--training.eval_frequency", every,
        "--training.optimizer.learn_rate.total_steps", steps)  # fmt: skip

    # 4. Use it.
    nlp = spacy.load(output / "training/model-best")
    print(f"Entity F1 on the 50 sentences: {nlp.meta['performance']['ents_f']:.2f}")
    for ent in nlp("Mary Smith met officials of the United Nations in Nairobi on Tuesday.").ents:
        print(ent.text, ent.label_, f"{ent._.confidence:.2f}")


if __name__ == "__main__":
    main()
