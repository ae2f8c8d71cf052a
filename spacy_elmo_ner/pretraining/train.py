"""Train a biLM on raw text: one run, step by step."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from ..corpus.casing import CaseShares
from ..elmo import BiLM
from ..elmo.kernels import multiplies_bfloat16
from ..elmo.states import BiLMStates
from ..elmo.storage import WEIGHTS_FILE
from ..errors import Errors, shown
from ..files import make_output_folder
from .checkpoint import (
    Progress,
    checkpoints,
    load_checkpoint,
    load_states,
    save_checkpoint,
)
from .config import PretrainingConfig, TrainingConfig
from .files import find_text_files
from .initial_weights import can_start_from, copy_weights
from .log import LOG_FILE, Log, named_if_not_written
from .objective import SPECIAL, Batch, BatchMaker, LanguageModel, Vocabulary
from .perplexity import measure, write_language_model
from .processes import Processes, joined_processes
from .silver import SilverLabels, label_text, repeated, warn_of_repetition
from .text import (
    TokenizedText,
    running_batches,
    shuffled_batches,
    split_held_out,
    tokenize,
)
from .text_counts import COUNTS_FILE, TextCounts


def pretrain(
    config: PretrainingConfig,
    output: Path,
    *,
    resume: bool = False,
    init: BiLM | None = None,
    progress_bar: bool = True,
) -> BiLM:
    """Train a biLM and write it to a folder that `BiLM.from_disk` reads.

    The folder also gets the softmax and vocabulary (for `perplexity`), ``log.jsonl``, and
    ``text.json``, which counts what is read before training starts. Its subfolders ``text`` and
    ``checkpoints`` serve to resume an interrupted run and can be deleted after it. With
    resume, such a run continues from its newest checkpoint, with the same batches in order.
    init: start from its weights, which must be of config's shape, but may have fewer cells (see
    `copy_weights`). The softmax is learned anew, and for its first steps alone (Kumar et al. 2022:
    fine-tuning with a new output layer distorts what the weights know, unless that layer has
    learned first).
    Under torchrun, all processes train this one model.
    Raises ValueError for text without words or with one word only, an init of another shape or a
    checkpoint of another config, FileExistsError if the folder holds a run and resume is false, or
    a biLM and no run, OSError where the folder cannot be written to or the disk is full.
    """
    if init is not None and not can_start_from(config.options, init.options):
        raise ValueError(Errors.EL420.format(init=init.options, config=config.options))
    with joined_processes() as processes:
        if processes.n > 1 and config.training.state == "running":
            raise ValueError(Errors.EL419.format(n=processes.n))
        run = _Run(config, output, resume, init, processes, progress_bar)
        while run.progress.step < run.n_steps:
            run.step()
        run.close()
    return run.model.bilm.eval()


class _Run:
    """Hold everything that a pre-training run keeps between two steps."""

    def __init__(
        self,
        config: PretrainingConfig,
        output: Path,
        resume: bool,
        init: BiLM | None,
        processes: Processes,
        progress_bar: bool,
    ) -> None:
        saved = checkpoints(output / "checkpoints")
        if saved and not resume:
            raise FileExistsError(Errors.EL408.format(path=output))
        if not saved and (output / WEIGHTS_FILE).exists():
            raise FileExistsError(Errors.EL411.format(path=output))
        self.config, self.output, self.processes = config, output, processes
        make_output_folder(output)
        self.settings = settings = config.training
        show = progress_bar and processes.is_first
        if processes.is_first:
            _prepare_text(config, output / "text", bool(saved), show)
        processes.wait()
        self.text = TokenizedText.from_disk(output / "text")
        self.train_rows, self.held_out_rows = split_held_out(self.text, config.text.n_held_out)
        self.vocabulary = Vocabulary.most_frequent(self.text.words, config.text.n_vocabulary)
        if len(self.vocabulary) < len(SPECIAL) + 2:
            words = shown(self.vocabulary.words[len(SPECIAL) :])
            raise ValueError(Errors.EL416.format(words=words))
        self.make_batch = BatchMaker(self.text.words, self.vocabulary, config.options)
        self.case_shares = CaseShares(settings.lower_case, settings.upper_case, settings.title_case)
        self.silver: SilverLabels | None = None
        self.read_rows = self.train_rows  # in an epoch, some of them repeatedly
        if config.silver.pipeline:
            if processes.is_first:
                label_text(
                    self.text, self.train_rows, config.silver, output / "text", progress_bar=show
                )
            processes.wait()
            self.silver = SilverLabels.from_disk(output / "text", len(self.text.tokens))
            labelled = self.silver.labelled(self.text, self.train_rows)
            self.read_rows = repeated(self.train_rows, labelled, config.silver.share)

        torch.manual_seed(settings.seed)
        bilm = BiLM(config.options)
        if init is not None:
            copy_weights(bilm, init)
        self.model = LanguageModel(
            bilm,
            len(self.vocabulary),
            settings.softmax_cutoffs,
            {} if self.silver is None else self.silver.n_labels,
        )
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        # Epochs differ by a few batches; the schedule is always that of the first.
        in_epoch = len(self._epoch(0)) // processes.n
        self.n_steps = settings.max_steps or settings.max_epochs * max(1, in_epoch)
        if self.silver is not None and processes.is_first:
            epochs = self.n_steps / max(1, in_epoch)
            warn_of_repetition(self.text, self.train_rows, self.read_rows, epochs)
        self.progress = Progress()
        if init is not None:
            self.progress.softmax_steps = min(settings.softmax_steps, self.n_steps // 3)
        self.states: BiLMStates | None = None  # of running text, where the batch before ended
        if saved:
            self.progress = load_checkpoint(saved[-1], self.model, self.optimizer, config.to_dict())
            if settings.state == "running":
                self.states = load_states(saved[-1], config.options)
        self._let_learn()
        self.batches = self._epoch(self.progress.epoch)
        self.log = Log(output / LOG_FILE, self.progress.step) if processes.is_first else None
        self.started = time.monotonic() - self.progress.seconds
        self.bar = tqdm(
            total=self.n_steps, initial=self.progress.step, unit=" steps", disable=not show
        )
        if processes.is_first:
            self._report_text()

    def step(self) -> None:
        """Run one batch per process forward and back, change the weights, write a log row."""
        settings, progress, processes = self.settings, self.progress, self.processes
        batch = self._next_batch()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(progress.step, self.n_steps, settings)
        if 0 < progress.step == progress.softmax_steps:
            self._let_learn()
        bf16 = settings.bf16 and multiplies_bfloat16()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            forward, backward, silver, states = self.parallel(batch, self.states)
        self.states = states if settings.state == "running" else None
        loss = (forward + backward) / (2 * batch.n_predictions) + self.config.silver.weight * silver
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
            self._report(self.log, mean_loss, norm.item(), silver.item())

    def close(self) -> None:
        """Write what has been learned."""
        self.bar.close()
        if self.processes.is_first:
            write_language_model(self.model, self.vocabulary, self.output)
        self.processes.wait()

    def _let_learn(self) -> None:
        """Have the biLM learn, or rest while the softmax learns alone."""
        self.model.bilm.requires_grad_(self.progress.step >= self.progress.softmax_steps)
        self.parallel = self.processes.parallel(self.model)  # averages what learns at that time

    def _epoch(self, epoch: int) -> Sequence[np.ndarray]:
        rng = np.random.default_rng([self.settings.seed, epoch])
        in_batches = running_batches if self.settings.state == "running" else shuffled_batches
        return in_batches(self.text, self.read_rows, self.settings.batch_tokens, rng)

    def _next_batch(self) -> Batch:
        """Return this process's share of the next n batches; drop the rest of an epoch."""
        progress, processes = self.progress, self.processes
        # An epoch of fewer batches than processes gives some of them the same one.
        if progress.batch and progress.batch + processes.n > len(self.batches):
            progress.epoch, progress.batch = progress.epoch + 1, 0
            self.batches, self.states = self._epoch(progress.epoch), None
        number = (progress.batch + processes.rank) % len(self.batches)
        rows = self.batches[number]
        rng = np.random.default_rng([self.settings.seed, progress.epoch, number])
        cases = self.case_shares.choose(len(rows), rng)
        progress.batch += processes.n
        batch = self.make_batch([self.text.sentence(i) for i in rows], cases)
        return batch if self.silver is None else self.silver.add_to(batch, self.text, rows)

    def _report_text(self) -> None:
        counts = TextCounts.of(
            self.text,
            self.train_rows,
            self.held_out_rows,
            self.vocabulary,
            self.config.text.n_held_out,
            self.config.text.language,
        )
        path = self.output / COUNTS_FILE
        with named_if_not_written(path):
            counts.to_json(path)
        if not self.bar.disable:
            for line in counts.lines():
                self.bar.write(line)

    def _report(self, log: Log, loss: float, norm: float, silver: float) -> None:
        """Write a log row, at times also perplexity and a checkpoint; first process only."""
        settings, progress = self.settings, self.progress
        row: dict[str, Any] = {
            "step": progress.step,
            "loss": loss,
            "gradient_norm": norm,
            **({"silver": silver} if self.silver else {}),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
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
                self.states,
            )
        rate = progress.n_tokens / progress.seconds
        self.bar.set_postfix_str(f"loss {loss:.3f}, {rate:,.0f} tokens/s", refresh=False)
        self.bar.update()


def learning_rate(step: int, n_steps: int, settings: TrainingConfig) -> float:
    """Compute the rate: linear warm-up, then a cosine to zero (Loshchilov and Hutter 2017).

    With decay_steps it is constant, and falls linearly to zero in the last of them (Hägele et al.
    2024).
    """
    warmup = min(settings.warmup_steps, max(1, n_steps // 10))
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    if settings.decay_steps:
        return settings.learning_rate * min(1.0, (n_steps - step) / settings.decay_steps)
    done = (step - warmup) / max(1, n_steps - warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def _prepare_text(
    config: PretrainingConfig, directory: Path, resume: bool, progress_bar: bool
) -> None:
    """Tokenize once; a resumed run reads the text that the first one wrote.

    Text left by a run that made no checkpoint may come from other files, and is not used.
    """
    if not (resume and (directory / "words.json").is_file()):
        paths = find_text_files([Path(path) for path in config.text.paths])
        text = tokenize(paths, config.text.language, progress=progress_bar)
        with named_if_not_written(directory):
            text.to_disk(directory)
