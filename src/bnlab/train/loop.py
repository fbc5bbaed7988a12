"""Training in plain PyTorch: the source of truth for every other engine."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import bnlab
from bnlab.data import Dataset, batches, load, with_wrong_labels
from bnlab.errors import check_name
from bnlab.nets import make_net
from bnlab.norms import Normalizer
from bnlab.norms.weight import normalize_weights
from bnlab.optim import adaptive_clip_grad
from bnlab.train.augment import augmented
from bnlab.train.history import DIVERGED, History, Step
from bnlab.train.losses import LOSSES
from bnlab.train.optimizers import make_optimizer
from bnlab.train.run import Run

ENGINES = ("torch", "compiled")
SLICE = 512  # images evaluated at a time


def make_device(device: str = "auto") -> torch.device:
    """The device called so; ``auto`` is the GPU if torch sees a CUDA one, else the CPU.

    Raises:
        ValueError: if torch does not know the device or cannot use it here.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen).item()  # "meta" makes tensors too, but they hold nothing
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        first_line = str(error).splitlines()[0]
        raise ValueError(f"device {device!r} cannot be used here ({first_line}).") from error
    return chosen


def build(run: Run) -> nn.Module:
    """The untrained net of a Run, on the CPU, with torch's fused kernels where there are any."""
    data = load(run.data, run.split_seed)
    options = {"native": True, **run.norm_options}
    shape, classes = data.image_shape, data.num_classes
    sizes = (run.depth, run.width)
    net = make_net(run.net, shape, classes, *sizes, run.norm, options, run.seed, **run.net_options)
    _start_gamma(net, run.gamma)
    if run.weight_norm != "none":
        normalize_weights(net, run.weight_norm, **run.weight_norm_options)
    return net.to(getattr(torch, run.precision))


def training_data(run: Run) -> Dataset:
    """The data of a Run; some training labels are wrong if it says so."""
    data = load(run.data, run.split_seed)
    if not run.label_noise:
        return data
    wrong = with_wrong_labels(data.train_y, run.label_noise, data.num_classes, run.seed)
    return dataclasses.replace(data, train_y=wrong)


def _start_gamma(net: nn.Module, gamma: float) -> None:
    for module in net.modules():
        if isinstance(module, Normalizer) and getattr(module, "weight", None) is not None:
            nn.init.constant_(module.weight, gamma)


@contextlib.contextmanager
def kept_modes(net: nn.Module) -> Iterator[None]:
    """Put each module back into its own mode on leaving: a frozen part may be in another one."""
    saved = [(module, module.training) for module in net.modules()]
    try:
        yield
    finally:
        for module, mode in saved:
            module.training = mode


@contextlib.contextmanager
def kept_buffers(net: nn.Module) -> Iterator[None]:
    """Give the net its buffers back on leaving: a look in training mode moves no statistics."""
    saved = {name: buffer.clone() for name, buffer in net.named_buffers()}
    try:
        yield
    finally:
        for name, value in saved.items():
            net.get_buffer(name).copy_(value)


@torch.no_grad()
def evaluate(
    net: nn.Module,
    x: Tensor,
    y: Tensor,
    batch_statistics: bool = False,
    loss: Callable[[Tensor, Tensor], Tensor] = cross_entropy,
) -> tuple[float, float]:
    """Loss and accuracy of ``net`` on all of ``x``; the net stays as it was.

    Args:
        net: any classifier.
        x: inputs, (N, C, H, W).
        y: labels, (N,).
        batch_statistics: in training mode, with the statistics of these inputs as one batch;
            else in evaluation mode.
        loss: of logits and labels; by default the cross-entropy, in nats.
    """
    with kept_modes(net), kept_buffers(net) if batch_statistics else contextlib.nullcontext():
        net.train(batch_statistics)
        # Slices are faster and need less memory, but batch statistics belong to one whole batch.
        parts = [x] if batch_statistics else x.split(SLICE)
        logits = torch.cat([net(part) for part in parts])
    accuracy = (logits.argmax(1) == y).to(logits.dtype).mean()
    return tuple(torch.stack([loss(logits, y), accuracy]).tolist())


class Trainer:
    """One net in training: ``steps`` yields a record after each update. See ``training``."""

    engine = "torch"

    def __init__(self, run: Run, device: str = "auto") -> None:
        self.run, self.device = run, make_device(device)
        self.data, self.loss = training_data(run), LOSSES[run.loss]
        self.batches = batches(
            self.data.train_y,
            run.sampler,
            run.seed,
            run.batch_size,
            run.steps,
            **run.sampler_options,
        )
        self.net = build(run).to(self.device)
        self.optimizer = make_optimizer(run.optimizer, self.net, run.lr, **run.optimizer_options)
        self.train_x, self.train_y = self.part("train")
        self.val_x, self.val_y = self.part("val")
        self.batch_dependent = any(getattr(m, "uses_batch", False) for m in self.net.modules())
        # A normalizer that is undefined on the shapes of this net says so here, not on the way.
        x, y = self.train_x[: run.batch_size], self.train_y[: run.batch_size]
        evaluate(self.net, x, y, batch_statistics=True)

    @property
    def versions(self) -> dict[str, str]:
        """What the numbers depend on besides bnlab, torch and numpy."""
        return {}

    def part(self, name: str) -> tuple[Tensor, Tensor]:
        """Images and labels of a part of the data, on the device."""
        dtype = getattr(torch, self.run.precision)
        x = torch.tensor(getattr(self.data, f"{name}_x"), dtype=dtype, device=self.device)
        y = torch.tensor(getattr(self.data, f"{name}_y"), device=self.device)
        return x, y

    def batch(self, numbers: np.ndarray, step: int) -> tuple[Tensor, Tensor]:
        """Images, augmented as the Run says, and labels of a batch.

        Args:
            numbers: which images, (B,).
            step: for which step, from 1.
        """
        index = torch.from_numpy(numbers).to(self.device)
        x = augmented(self.train_x[index], self.run.augment, self.run.seed, step)
        return x, self.train_y[index]

    def update(self, numbers: np.ndarray, step: int) -> tuple[float, float]:
        """One step of gradient descent; loss and accuracy of the batch before it."""
        x, y = self.batch(numbers, step)
        self.optimizer.zero_grad()
        logits = self.net(x)
        loss = self.loss(logits, y)
        loss.backward()
        if self.run.clip is not None:
            adaptive_clip_grad(self.net, self.run.clip)
        self.optimizer.step()
        accuracy = (logits.detach().argmax(1) == y).to(loss.dtype).mean()
        return tuple(torch.stack([loss.detach(), accuracy]).tolist())  # one transfer from a GPU

    def look(self, step: int, loss: float, accuracy: float) -> Step:
        """A record with an evaluation on the validation images."""
        _, val = evaluate(self.net, self.val_x, self.val_y)
        train_mode = val
        if self.batch_dependent:
            _, train_mode = evaluate(self.net, self.val_x, self.val_y, batch_statistics=True)
        return Step(step, loss, accuracy, val, train_mode)

    def loss_now(self, numbers: np.ndarray, step: int) -> float:
        """Loss of a batch with the weights as they are, in training mode; nothing moves."""
        x, y = self.batch(numbers, step)
        return evaluate(self.net, x, y, batch_statistics=True, loss=self.loss)[0]

    def test_accuracy(self) -> float:
        """Accuracy on the test images in evaluation mode."""
        return evaluate(self.net, *self.part("test"))[1]

    def steps(self, looks: bool = True) -> Iterator[Step]:
        """Train; yield a record at step 0 and after each update, the last one if it diverges.

        Args:
            looks: evaluate on the validation images now and then; that can take longer than the
                training itself.
        """
        run = self.run
        self.net.train()
        yield self.look(0, math.nan, math.nan) if looks else Step(0, math.nan, math.nan)
        for step, numbers in enumerate(self.batches, start=1):
            loss, accuracy = self.update(numbers, step)
            if step == 1:
                limit = min(DIVERGED * loss, sys.float_info.max)
            if not loss <= limit:
                # The batch was seen before its update: the updates before it did the damage.
                yield Step(step - 1, loss, accuracy, diverged=True)
                return
            if looks and (step % run.eval_every == 0 or step == run.steps):
                yield self.look(step, loss, accuracy)
            else:
                yield Step(step, loss, accuracy)
        # What the last update did, no later batch has seen.
        after = self.loss_now(numbers, run.steps)
        if not after <= limit:
            yield Step(run.steps, after, math.nan, diverged=True)


def make_trainer(run: Run, engine: str = "torch", device: str = "auto") -> Trainer:
    """What trains a Run on an engine; see ``train``."""
    check_name("engine", engine, ENGINES)
    if engine == "torch":
        return Trainer(run, device)
    from bnlab.compiled.engine import CompiledTrainer  # it builds on this module

    return CompiledTrainer(run, device)


def training(run: Run, engine: str = "torch", device: str = "auto") -> Iterator[Step]:
    """Train a Run step by step: an iterator of records.

    The first record, at step 0, comes before any update; then one follows each update. A run that
    diverges ends with a record whose ``diverged`` is True.

    Raises:
        ValueError: as ``train``, at once, before the first record.
    """
    return make_trainer(run, engine, device).steps()


@contextlib.contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Let torch use ``count`` threads inside; None leaves it as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train(
    run: Run,
    engine: str = "torch",
    device: str = "auto",
    on_step: Callable[[Step], None] | None = None,
    progress: bool = False,
) -> History:
    """Train the net of a Run.

    Nets for images of 8 x 8 are trained with one thread: more threads make such small matrices
    slower, and the sums would depend on their number. The same Run on the same machine and device
    gives the same bits. torch's global random state is neither used nor changed.

    Args:
        run: what to train.
        engine: ``torch``; or ``compiled``, which computes the same step many times faster for
            small nets on small batches, with the same bits on every machine and in a browser, but
            not the same bits as torch. It needs ``wasmtime``, and for nets that are not among the
            compiled ones of the book ``ziglang``. Nothing falls back from one to the other.
        device: ``auto`` (a CUDA GPU if there is one, else the CPU) or a name that torch knows.
        on_step: called with a ``Step`` at step 0 and after each update.
        progress: draw a progress bar.

    Returns:
        The History. A run that diverges is a result too: its ``diverged_at`` says when.

    Raises:
        ValueError: for an unknown engine, a device that is not there, a batch larger than the
            data, or a normalizer that is undefined on the shapes of this net.
    """
    check_name("engine", engine, ENGINES)
    if not isinstance(run, Run):
        raise ValueError(f"train takes a Run, got {run!r}. Use Run.from_dict for a dict.")
    start = time.perf_counter()
    trainer = make_trainer(run, engine, device)
    small = max(trainer.data.image_shape) <= 8
    records: list[Step] = []
    with threads(1 if small else None):
        for record in _shown(trainer.steps(), run, progress):
            records.append(record)
            if on_step is not None:
                on_step(record)
        diverged_at = records[-1].step if records[-1].diverged else None
        accuracy = math.nan
        if diverged_at is None:
            accuracy = trainer.test_accuracy()
    return history_of(run, records, accuracy, time.perf_counter() - start, trainer)


def _shown(records: Iterator[Step], run: Run, progress: bool) -> Iterator[Step]:
    if not progress:
        return records
    from tqdm.auto import tqdm

    return tqdm(records, total=run.steps + 1, desc=f"{run.net}, {run.norm}", unit="step")


def history_of(
    run: Run, records: list[Step], test_accuracy: float, seconds: float, trainer: Trainer
) -> History:
    """The History of the records that a trainer gave for a Run."""
    updates = [r for r in records if not math.isnan(r.accuracy)]
    looks = [r for r in records if r.val_accuracy is not None]
    return History(
        run=run,
        loss=np.array([r.loss for r in updates]),
        accuracy=np.array([r.accuracy for r in updates]),
        step=np.array([r.step for r in looks]),
        val_accuracy=np.array([r.val_accuracy for r in looks]),
        val_accuracy_train_mode=np.array([r.val_accuracy_train_mode for r in looks]),
        test_accuracy=test_accuracy,
        diverged_at=records[-1].step if records[-1].diverged else None,
        seconds=seconds,
        device=str(trainer.device),
        engine=trainer.engine,
        versions={
            **trainer.versions,
            "bnlab": bnlab.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    )
