"""The training of a network: draw, predict, compare, step; validate, keep, and go on after any interruption."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from deepcams.errors import CheckError, DeepcamsError, InputError, OutputError
from deepcams.layers.inference import reproducible
from deepcams.layers.weights import State
from deepcams.provenance import provenance
from deepcams.threads import processors
from deepcams.training.batches import batches, to_device
from deepcams.training.card import Result, Words, write_results
from deepcams.training.checkpoint import Learner, load_checkpoint, save_checkpoint
from deepcams.training.curriculum import Curriculum, gather
from deepcams.training.distributed import World, enough_memory, processes
from deepcams.training.folder import CHECKPOINT, claimed
from deepcams.training.journal import Journal
from deepcams.training.optimiser import make_optimiser, rate_at, update_average
from deepcams.training.sections import Config
from deepcams.training.stage import Batch
from deepcams.training.stopping import stop_requests
from deepcams.training.validation import NETWORK, Validator

_WORKERS = 4  # threads that prepare examples, where there are as many processors

Progress = Callable[[int, float], None]
Report = Callable[[str], None]


def train(config: Config, folder: Path, *, device: str = "auto", overwrite: bool = False, workers: int | None = None,
          progress: Progress = lambda count, loss: None, report: Report = lambda text: None) -> Result:  # fmt: skip
    """Train a network, or go on with a training that was interrupted.

    Args:
        config: all settings; they say which network.
        folder: where checkpoints, metrics, weights and the model card go. If it holds a checkpoint of the same settings
            and data, training goes on from there and ends as if it had not been interrupted.
        device: ``cpu``, ``cuda`` or ``auto``.
        overwrite: begin anew.
        workers: threads that prepare examples; None for one per processor, at most 4. Results do not depend on it.
        progress: called with the number of steps done since the last call, and the loss.
        report: called with lines for people.

    Raises:
        InputError: if settings, data or checkpoint do not fit, or CUDA is asked for and absent.
        OutputError: if the folder cannot be written to.
        CheckError: if the loss is not finite; the last checkpoint is kept.
        DeepcamsError: if memory runs out; the last checkpoint is kept.
        KeyboardInterrupt: after Ctrl-C, when a checkpoint was written.
        SystemExit: after SIGTERM, when a checkpoint was written.
    """
    with processes(device) as world, reproducible(world.device), enough_memory():
        if config.training.batch < world.size:
            raise InputError(f"training.batch = {config.training.batch} on {world.size} processes: wanted one example for "
                             "each at least")  # fmt: skip
        curriculum = gather(config)
        report = report if world.first else lambda text: None
        with ExitStack() as stack:
            _claim(folder, curriculum.stage.name, world, stack, overwrite=overwrite)
            report(curriculum.line)
            trainer = Trainer(config, curriculum, folder, world, progress, report)
            trainer.run(workers or min(_WORKERS, processors()))
            return trainer.result()


@dataclass(frozen=True)
class Taken:
    """What a step was like: loss, learning rate, norm of the gradient."""

    loss: float
    rate: float
    norm: float


class Trainer:
    """One training in its folder.

    Args:
        config: all settings.
        curriculum: the data.
        folder: there already; a checkpoint in it is gone on from.
        world: the processes.
        progress: as in :func:`train`.
        report: as in :func:`train`.

    Raises:
        InputError: if the checkpoint in the folder does not fit.
    """

    def __init__(self, config: Config, curriculum: Curriculum, folder: Path, world: World, progress: Progress,
                 report: Report) -> None:  # fmt: skip
        self.config, self.curriculum, self.folder, self.world = config, curriculum, folder, world
        self._progress, self._report = progress, report
        torch.manual_seed(config.training.seed)
        network = curriculum.stage.network().to(world.device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's annotations
        averaged = copy.deepcopy(network).requires_grad_(False)
        self.learner = Learner(network, averaged, make_optimiser(network, config.training))
        self._objective = world.wrap(curriculum.stage.objective(network))
        self._validator = Validator(curriculum, world)
        self._began = time.monotonic()
        self._go_on()

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or no better validation has come for long enough."""
        training, done = self.config.training, self.learner.progress
        return done.step >= training.steps or 0 < training.patience <= done.waited

    def run(self, workers: int) -> None:
        """Take the steps that are left."""
        done, training = self.learner.progress, self.config.training
        journal = Journal(self.folder if self.world.first else None, done.step)
        steps = range(done.step + 1, training.steps + 1)
        coming = batches(self.curriculum.prepare, steps, training.batch, self.world, workers)
        with closing(journal), closing(coming), stop_requests() as stop:
            while not self.finished:
                batch = to_device(next(coming), self.world.device)
                total, asked = self.world.sums(
                    float(batch["weights"].sum(dtype=torch.float64)), float(bool(stop.number))
                )
                if asked:
                    self._save(journal)
                    self._report(f"stopped after step {done.step}; the same command goes on from there")
                    stop.leave()
                taken = self.step(batch, total)
                self._after(taken, journal)
                self._progress(1, taken.loss)
            self._save(journal)

    def step(self, batch: Batch, total: float) -> Taken:
        """One step of the optimiser.

        Args:
            batch: this process's part.
            total: the sum of the weights in all parts.

        Raises:
            CheckError: if the loss or its gradient is not finite; the weights are as before.
        """
        learner, training, world = self.learner, self.config.training, self.world
        number = learner.progress.step + 1
        rate = rate_at(number, training)
        for group in learner.optimiser.param_groups:
            group["lr"] = rate
        # Seeded anew each time, so that a step depends on its number, not on those before it in this process.
        torch.manual_seed(training.seed * 1_000_003 + number * world.size + world.rank)
        learner.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(world.device.type, torch.bfloat16, enabled=training.precision == "bf16"):
            loss = self._objective(batch, total)
        torch.autograd.backward(loss * world.size)  # the processes' gradients are averaged, and their losses add up
        norm = float(nn.utils.clip_grad_norm_(learner.network.parameters(), training.clip))
        (value,) = world.sums(float(loss.detach()))
        self._refuse_nonsense(number, {"the loss": value, "the norm of its gradient": norm})
        learner.optimiser.step()
        update_average(learner.averaged, learner.network, training.ema, number)
        learner.progress.step = number
        return Taken(value, rate, norm)

    def result(self) -> Result:
        """Write the chosen weights and their card, and say what came out."""
        done, training = self.learner.progress, self.config.training
        best = training.select == "best"
        scores, step = (done.best, done.best_step) if best else (done.latest, done.step)
        stage = self.curriculum.stage
        words = Words(stage.name, self.config.network.kind, stage.purpose, stage.scope)
        result = Result(words, self.folder, step, done.step, scores, str(self.world.device))
        if self.world.first:
            state = self.learner.best if best else self.learner.averaged.state_dict()
            settings = {"architecture": self.config.network.sizes(), "selected": training.select}
            write_results(result, state, self._facts() | settings)
        self.world.sums(0)
        return result

    def _go_on(self) -> None:
        """Take up the state of the checkpoint, if there is one.

        Raises:
            InputError: if it does not fit, or the processes do not see the same one.
        """
        path = self.folder / CHECKPOINT
        found = load_checkpoint(path, self.learner, self._facts()) if path.is_file() else {}
        step = self.learner.progress.step
        (steps,) = self.world.sums(float(step))
        if steps != step * self.world.size:
            raise InputError(
                f"{path}: the processes do not see the same checkpoint; wanted an --output that all nodes see"
            )
        if not found:
            return
        self._report(f"going on after step {step} of {path}")
        if found.get("threads") != torch.get_num_threads():
            self._report(f"note: begun with {found.get('threads')} threads, and there are {torch.get_num_threads()} now: the "
                         "result will differ by rounding from that of an uninterrupted run")  # fmt: skip
        self._progress(step, float("nan"))

    def _after(self, taken: Taken, journal: Journal) -> None:
        """Validate and keep, if it is time."""
        done, training = self.learner.progress, self.config.training
        last = done.step == training.steps
        line: dict[str, Any] = asdict(taken)
        if self.curriculum.judged and (last or done.step % training.validate_every == 0):
            line["validation"] = self._validate()
        journal.write(done.step, line | {"seconds": round(time.monotonic() - self._began, 3)})
        if done.step % training.checkpoint_every == 0:
            self._save(journal)

    def _validate(self) -> dict[str, dict[str, float]]:
        """Score the averaged weights, and remember them if they are the best so far."""
        learner, done = self.learner, self.learner.progress
        scores = self._validator.scores(learner.averaged)
        self._refuse_nonsense(done.step, {"the RMSE in validation": scores[NETWORK]["rmse"]})
        done.latest, done.waited = scores, done.waited + 1
        if not done.best or scores[NETWORK]["rmse"] < done.best[NETWORK]["rmse"]:
            done.best, done.best_step, done.waited = scores, done.step, 0
            learner.best = _copy(learner.averaged.state_dict())
        told = ", ".join(f"{name} {one['rmse']:.3f} / {one['mae']:.3f}" for name, one in scores.items())
        self._report(f"step {done.step}: RMSE / MAE {told} ug m-3")
        return scores

    def _save(self, journal: Journal) -> None:
        """Write a checkpoint."""
        journal.sync()
        if self.world.first:
            facts = self._facts() | {"threads": torch.get_num_threads()}
            save_checkpoint(self.folder / CHECKPOINT, self.learner, facts)

    def _facts(self) -> dict[str, Any]:
        """What the state belongs to."""
        config, split = self.config.record(), self.curriculum.split
        named = [one.attribution for one in self.curriculum.series if one.attribution]
        sources = dict.fromkeys([*named, *self.curriculum.stage.credits])
        credit = {"licence": "that of the data", "attribution": "; ".join(sources) or "not named in the files"}
        made = provenance({"training": config}, self.curriculum.inputs) | credit
        held_out = {"hold_out": [list(one.bounds) for one in split.held_out], "last": split.last}
        data, unknown = self.curriculum.digest, self.curriculum.unknown
        return {"config": config, "data": data, "unknown": unknown, "held_out": held_out, "provenance": made}

    def _refuse_nonsense(self, number: int, values: Mapping[str, float]) -> None:
        """Stop where a number is not finite, before anything is kept."""
        for name, value in values.items():
            if not math.isfinite(value):
                raise CheckError(f"step {number}: {name} is {value:g}, wanted a finite number; the last checkpoint in "
                                 f"{self.folder} is kept. Lower training.rate or training.clip and begin anew, or look for "
                                 "impossible values in the data")  # fmt: skip


def _copy(state: State) -> State:
    return {name: tensor.detach().clone() for name, tensor in state.items()}


def _claim(folder: Path, stage: str, world: World, stack: ExitStack, *, overwrite: bool) -> None:
    """Let the first process claim the folder, before any other looks for a checkpoint in it.

    Raises:
        OutputError: in all processes, if the first one cannot.
    """
    failure: DeepcamsError | None = None
    if world.first:
        try:
            stack.enter_context(claimed(folder, stage, overwrite=overwrite))
        except DeepcamsError as error:
            failure = error
    (failures,) = world.sums(float(failure is not None))
    if failures:
        raise failure or OutputError(f"{folder}: the first process cannot use it")
