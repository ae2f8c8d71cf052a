"""Pre-training a biLM on raw text: the whole run in one readable function."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from tqdm import tqdm

from ..elmo import BiLM
from ..elmo.storage import WEIGHTS_FILE, replace_when_written
from ..errors import Errors
from .checkpoint import Progress, checkpoints, load_checkpoint, save_checkpoint
from .config import PretrainingConfig, TrainingConfig
from .objective import BatchMaker, LanguageModel, Vocabulary
from .perplexity import SOFTMAX_FILE, VOCABULARY_FILE, measure
from .text import TokenizedText, shuffled_batches, split_held_out, tokenize


def pretrain(
    config: PretrainingConfig, output: Path, *, resume: bool = False, progress_bar: bool = True
) -> BiLM:
    """Train a biLM and write it to a folder that `BiLM.from_disk` reads.

    The folder also gets the softmax and vocabulary (for `perplexity`) and ``log.jsonl``; its
    subfolders ``text`` and ``checkpoints`` serve to go on with an interrupted run and can be
    deleted after it. With resume, such a run goes on from its newest checkpoint, over the same
    batches in the same order.
    Raises ValueError for text without words or a checkpoint of another config, FileExistsError
    if the folder holds a run and resume is false, or a biLM and no run.
    """
    found = checkpoints(output / "checkpoints")
    if found and not resume:
        raise FileExistsError(Errors.EL408.format(path=output))
    if not found and (output / WEIGHTS_FILE).exists():
        raise FileExistsError(Errors.EL411.format(path=output))
    text = _prepare_text(config, output / "text", bool(found), progress_bar)
    train_rows, held_out_rows = split_held_out(text, config.text.n_held_out)
    vocabulary = Vocabulary.most_frequent(text.words, config.text.n_vocabulary)
    make_batch = BatchMaker(text.words, vocabulary, config.options)
    settings = config.training

    torch.manual_seed(settings.seed)
    model = LanguageModel(BiLM(config.options), len(vocabulary), settings.softmax_cutoffs)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    progress = Progress()
    if found:
        progress = load_checkpoint(found[-1], model, optimizer, config.to_dict())

    # Epochs differ by a few batches; the schedule is the first one's, wherever a run goes on.
    n_steps = settings.max_steps or settings.max_epochs * len(_epoch(text, train_rows, settings, 0))
    batches = _epoch(text, train_rows, settings, progress.epoch)
    log = _Log(output / "log.jsonl", progress.step)
    started = time.monotonic() - progress.seconds
    bar = tqdm(total=n_steps, initial=progress.step, unit=" steps", disable=not progress_bar)
    while progress.step < n_steps:
        if progress.batch == len(batches):
            progress.epoch, progress.batch = progress.epoch + 1, 0
            batches = _epoch(text, train_rows, settings, progress.epoch)
        batch = make_batch([text.sentence(i) for i in batches[progress.batch]])
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(progress.step, n_steps, settings)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.bf16):
            forward, backward = model(batch)
        loss = (forward + backward) / (2 * batch.n_predictions)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings.max_gradient)
        progress.step += 1
        if not math.isfinite(loss.item()) or not math.isfinite(norm.item()):
            message = Errors.EL409.format(step=progress.step, loss=loss.item(), norm=norm.item())
            raise ValueError(message)
        optimizer.step()

        progress.batch += 1
        progress.n_tokens += batch.n_predictions - len(batch.packing.order)
        progress.seconds = time.monotonic() - started
        row: dict[str, Any] = {
            "step": progress.step,
            "loss": loss.item(),
            "gradient_norm": norm.item(),
            "n_tokens": progress.n_tokens,
            "seconds": round(progress.seconds, 1),
        }
        is_last = progress.step == n_steps
        if len(held_out_rows) and (progress.step % settings.evaluate_every == 0 or is_last):
            held_out = measure(model, make_batch, text, held_out_rows, vocabulary)
            row |= {"forward": held_out.forward, "backward": held_out.backward}
            if progress_bar:
                bar.write(f"step {progress.step}: held-out perplexity {held_out.mean:.1f}")
        log.append(row)
        if progress.step % settings.checkpoint_every == 0 or is_last:
            save_checkpoint(
                output / "checkpoints",
                model,
                optimizer,
                progress,
                config.to_dict(),
                settings.keep_checkpoints,
            )
        rate = progress.n_tokens / progress.seconds
        bar.set_postfix_str(f"loss {row['loss']:.3f}, {rate:,.0f} tokens/s", refresh=False)
        bar.update()
    bar.close()
    write_language_model(model, vocabulary, output)
    return model.bilm.eval()


def learning_rate(step: int, n_steps: int, settings: TrainingConfig) -> float:
    """Linear warm-up, then a cosine down to zero (Loshchilov and Hutter 2017)."""
    warmup = min(settings.warmup_steps, max(1, n_steps // 10))
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, n_steps - warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def write_language_model(model: LanguageModel, vocabulary: Vocabulary, output: Path) -> None:
    """The biLM where `BiLM.from_disk` finds it, its softmax and vocabulary beside it."""
    softmax = {name: value.contiguous() for name, value in model.softmax.state_dict().items()}
    softmax["cutoffs"] = torch.tensor(model.softmax.cutoffs[:-1])
    output.mkdir(parents=True, exist_ok=True)
    with replace_when_written(output / SOFTMAX_FILE) as path:
        path.write_bytes(save(softmax))
    with replace_when_written(output / VOCABULARY_FILE) as path:
        path.write_text("\n".join(vocabulary.words), encoding="utf8")
    model.bilm.to_disk(output)


def _prepare_text(
    config: PretrainingConfig, directory: Path, resume: bool, progress_bar: bool
) -> TokenizedText:
    """Tokenize once; a resumed run reads what the first one wrote.

    Text left by a run that made no checkpoint may come from other files, and is not used.
    """
    if not (resume and (directory / "words.json").is_file()):
        paths = [Path(path) for path in config.text.paths]
        tokenize(paths, progress=progress_bar).to_disk(directory)
    return TokenizedText.from_disk(directory)


def _epoch(
    text: TokenizedText, rows: np.ndarray, settings: TrainingConfig, epoch: int
) -> Sequence[np.ndarray]:
    rng = np.random.default_rng([settings.seed, epoch])
    return shuffled_batches(text, rows, settings.batch_tokens, rng)


class _Log:
    """One JSON object per step. Rows after the checkpoint that a run goes on from are dropped."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        lines = path.read_text(encoding="utf8").splitlines() if path.is_file() else []
        path.parent.mkdir(parents=True, exist_ok=True)
        with replace_when_written(path) as temporary:
            kept = "".join(f"{line}\n" for line in _rows_until(step, lines))
            temporary.write_text(kept, encoding="utf8")

    def append(self, row: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf8") as file:
            file.write(json.dumps(row) + "\n")


def _rows_until(step: int, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            return  # the last row, cut short when the run was stopped while writing it
        if row["step"] > step:
            return
        yield line
