"""The biLM of a pre-training on its way: python -m benchmarks.halfway_bilm CHECKPOINT --output DIR

CHECKPOINT: a folder that `python -m spacy elmo pretrain` left in checkpoints/; a run keeps as many
of them as training.keep_checkpoints says. Its learning rate is still high there, so a run that
ends at that point would be somewhat better.
"""

import argparse
import json
from pathlib import Path

from safetensors.torch import load_file

from spacy_elmo_ner.elmo import BiLM, BiLMOptions
from spacy_elmo_ner.elmo.storage import Weights

PREFIX = "bilm."


def halfway_bilm(checkpoint: Path) -> BiLM:
    """Raises FileNotFoundError for a folder without a checkpoint."""
    state_file = checkpoint / "state.json"
    state = json.loads(state_file.read_text(encoding="utf8"))
    options = BiLMOptions.from_dict(state["config"]["bilm"], source=str(state_file))
    weights = {
        name.removeprefix(PREFIX): value
        for name, value in load_file(checkpoint / "model.safetensors").items()
        if name.startswith(PREFIX)
    }
    return BiLM.from_weights(Weights(options, weights))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    halfway_bilm(args.checkpoint).to_disk(args.output)
    print(f"Wrote {args.output}")


if __name__ == "__main__":
    main()
