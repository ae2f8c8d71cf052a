"""Pre-training a biLM on raw text: one run, step by step."""

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
from .objective import Batch, BatchMaker, LanguageModel, Vocabulary
from .perplexity import SOFTMAX_FILE, VOCABULARY_FILE, measure
from .processes import Processes, joined_processes
from .text import TokenizedText, shuffled_batches, split_held_out, tokenize


def pretrain(
    config: PretrainingConfig,
    output: Path,
    *,
    resume: bool = False,
    init: BiLM | None = None,
    progress_bar: bool = True,
) -> BiLM:
    """Train a biLM and write it to a folder that `BiLM.from_disk` reads.

    The folder also gets the softmax and vocabulary (for `perplexity`) and ``log.jsonl``; its
    subfolders ``text`` and ``checkpoints`` serve to go on with an interrupted run and can be
    deleted after it. With resume, such a run goes on from its newest checkpoint, over the same
    batches in the same order. init: start from its weights, which must be of config's shape; the
    softmax is learned anew. Under torchrun, all processes train this one model.
    Raises ValueError for text without words, an init of another shape or a checkpoint of another
    config, FileExistsError if the folder holds a run and resume is false, or a biLM and no run.
    """
    if init is not None and init.options != config.options:
        raise ValueError(Errors.EL420.format(init=init.options, config=config.options))
    with joined_processes() as processes:
        run = _Run(config, output, resume, init, processes, progress_bar)
        while run.progress.step < run.n_steps:
            run.step()
        run.close()
    return run.model.bilm.eval()


class _Run:
    """A pre-training run: everything it holds between two steps."""

    def __init__(
        self,
        config: PretrainingConfig,
        output: Path,
        resume: bool,
        init: BiLM | None,
        processes: Processes,
        progress_bar: bool,
    ) -> None:
        found = checkpoints(output / "checkpoints")
        if found and not resume:
            raise FileExistsError(Errors.EL408.format(path=output))
        if not found and (output / WEIGHTS_FILE).exists():
            raise FileExistsError(Errors.EL411.format(path=output))
        self.config, self.output, self.processes = config, output, processes
        self.settings = settings = config.training
        show = progress_bar and processes.is_first
        if processes.is_first:
            _prepare_text(config, output / "text", bool(found), show)
        processes.wait()
        self.text = TokenizedText.from_disk(output / "text")
        self.train_rows, self.held_out_rows = split_held_out(self.text, config.text.n_held_out)
        self.vocabulary = Vocabulary.most_frequent(self.text.words, config.text.n_vocabulary)
        self.make_batch = BatchMaker(self.text.words, self.vocabulary, config.options)

        torch.manual_seed(settings.seed)
        bilm = BiLM(config.options)
        if init is not None:
            bilm.load_state_dict(init.state_dict())
        self.model = LanguageModel(bilm, len(self.vocabulary), settings.softmax_cutoffs)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.progress = Progress()
        if found:
            self.progress = load_checkpoint(found[-1], self.model, self.optimizer, config.to_dict())
        self.parallel = processes.parallel(self.model)

        # Epochs differ by a few batches; the schedule is the first one's, wherever a run goes on.
        in_epoch = len(self._epoch(0)) // processes.n
        self.n_steps = settings.max_steps or settings.max_epochs * max(1, in_epoch)
        self.batches = self._epoch(self.progress.epoch)
        self.log = _Log(output / "log.jsonl", self.progress.step) if processes.is_first else None
        self.started = time.monotonic() - self.progress.seconds
        self.bar = tqdm(
            total=self.n_steps, initial=self.progress.step, unit=" steps", disable=not show
        )

    def step(self) -> None:
        """One batch of each process forward and back, one change of the weights, one log row."""
        settings, progress, processes = self.settings, self.progress, self.processes
        batch = self._next_batch()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(progress.step, self.n_steps, settings)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.bf16):
            forward, backward = self.parallel(batch)
        loss = (forward + backward) / (2 * batch.n_predictions)
        self.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.max_gradient)
        mean_loss = processes.mean(loss)
        progress.step += 1
        if not math.isfinite(mean_loss) or not math.isfinite(norm.item()):
            message = Errors.EL409.format(step=progress.step, loss=mean_loss, norm=norm.item())
            raise ValueError(message)
        self.optimizer.step()

        progress.n_tokens += (batch.n_predictions - len(batch.packing.order)) * processes.n
        progress.seconds = time.monotonic() - self.started
        if self.log is not None:
            self._report(self.log, mean_loss, norm.item())

    def close(self) -> None:
        """Write what has been learned."""
        self.bar.close()
        if self.processes.is_first:
            write_language_model(self.model, self.vocabulary, self.output)
        self.processes.wait()

    def _epoch(self, epoch: int) -> Sequence[np.ndarray]:
        rng = np.random.default_rng([self.settings.seed, epoch])
        return shuffled_batches(self.text, self.train_rows, self.settings.batch_tokens, rng)

    def _next_batch(self) -> Batch:
        """This process's one of the next n batches; what is left of an epoch is dropped."""
        progress, processes = self.progress, self.processes
        # An epoch of fewer batches than processes gives some of them the same one.
        if progress.batch and progress.batch + processes.n > len(self.batches):
            progress.epoch, progress.batch = progress.epoch + 1, 0
            self.batches = self._epoch(progress.epoch)
        rows = self.batches[(progress.batch + processes.rank) % len(self.batches)]
        progress.batch += processes.n
        return self.make_batch([self.text.sentence(i) for i in rows])

    def _report(self, log: "_Log", loss: float, norm: float) -> None:
        """Log, now and then with a look at held-out text and a checkpoint; first process only."""
        settings, progress = self.settings, self.progress
        row: dict[str, Any] = {
            "step": progress.step,
            "loss": loss,
            "gradient_norm": norm,
            "n_tokens": progress.n_tokens,
            "seconds": round(progress.seconds, 1),
        }
        is_last = progress.step == self.n_steps
        if len(self.held_out_rows) and (progress.step % settings.evaluate_every == 0 or is_last):
            held_out = measure(
                self.model, self.make_batch, self.text, self.held_out_rows, self.vocabulary
            )
            row |= {"forward": held_out.forward, "backward": held_out.backward}
            if not self.bar.disable:
                self.bar.write(f"step {progress.step}: held-out perplexity {held_out.mean:.1f}")
        log.append(row)
        if progress.step % settings.checkpoint_every == 0 or is_last:
            save_checkpoint(
                self.output / "checkpoints",
                self.model,
                self.optimizer,
                progress,
                self.config.to_dict(),
                settings.keep_checkpoints,
            )
        rate = progress.n_tokens / progress.seconds
        self.bar.set_postfix_str(f"loss {loss:.3f}, {rate:,.0f} tokens/s", refresh=False)
        self.bar.update()


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
) -> None:
    """Tokenize once; a resumed run reads what the first one wrote.

    Text left by a run that made no checkpoint may come from other files, and is not used.
    """
    if not (resume and (directory / "words.json").is_file()):
        paths = [Path(path) for path in config.text.paths]
        tokenize(paths, progress=progress_bar).to_disk(directory)


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
