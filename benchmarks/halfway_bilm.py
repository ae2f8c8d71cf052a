"""The biLM of a pre-training on its way: python -m benchmarks.halfway_bilm CHECKPOINT --output DIR

    [--config configs/pretrain-small-en.cfg]

CHECKPOINT: a folder that `python -m spacy elmo pretrain` left in checkpoints/, or its
model.safetensors. A run keeps as many of them as training.keep_checkpoints says. Its learning
rate is still high there, so a run that ends at that point would be somewhat better.
"""

import argparse
from pathlib import Path

from safetensors.torch import load_file

from spacy_elmo_ner.elmo import BiLM
from spacy_elmo_ner.pretraining.config import PretrainingConfig

PREFIX = "bilm."


def halfway_bilm(checkpoint: Path, config: Path) -> BiLM:
    """Raises FileNotFoundError without the file; RuntimeError if it is of another shape."""
    path = checkpoint / "model.safetensors" if checkpoint.is_dir() else checkpoint
    bilm = BiLM.to_fill(PretrainingConfig.from_cfg(config).options)
    weights = {
        name.removeprefix(PREFIX): value
        for name, value in load_file(path).items()
        if name.startswith(PREFIX)
    }
    bilm.load_state_dict(weights)
    return bilm.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--config", type=Path, default=Path("configs/pretrain-small-en.cfg"))
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    halfway_bilm(args.checkpoint, args.config).to_disk(args.output)
    print(f"Wrote {args.output}")


if __name__ == "__main__":
    main()
