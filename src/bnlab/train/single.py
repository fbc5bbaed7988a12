"""One training on the engine of choice, from a Run to a History."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

from bnlab.arguments import require
from bnlab.engines.eager import Trainer
from bnlab.engines.engine import Engine, history_of
from bnlab.errors import check_name
from bnlab.runs.build import threads
from bnlab.runs.history import History, Step
from bnlab.runs.run import Run
from bnlab.train.ways import fastest

ENGINES = ("torch", "compiled")
FASTEST = "fastest"
"""In place of an engine's name: the one that ``bnlab.train.ways`` says is the fastest."""


def make_trainer(run: Run, engine: str = "torch", device: str = "auto") -> Engine:
    """The engine of that name, with a Run to train; see ``train``."""
    check_name("engine", engine, (*ENGINES, FASTEST))
    if engine == FASTEST:
        engine = fastest(run, 1, device)
    if engine == "torch":
        return Trainer(run, device)
    # The compiler, torch's tracer and sympy take seconds to load: only who asks for it waits.
    from bnlab.engines.compiled.engine import CompiledTrainer

    return CompiledTrainer(run, device)


def training(run: Run, engine: str = "torch", device: str = "auto") -> Iterator[Step]:
    """Train a Run step by step: an iterator of records.

    The first record, at step 0, comes before any update; then one follows each update. A run that
    diverges ends with a record whose ``diverged`` is True.

    Raises:
        ValueError: as ``train``, at once, before the first record.
    """
    return make_trainer(run, engine, device).steps()


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
            ``fastest`` takes the one that was measured to be faster (``bnlab.train.ways``);
            ``History.engine`` says which.
        device: ``auto`` (a CUDA GPU if there is one, else the CPU) or a name that torch knows.
        on_step: called with a ``Step`` at step 0 and after each update.
        progress: draw a progress bar.

    Returns:
        The History. A run that diverges is a result too: its ``diverged_at`` says when.

    Raises:
        ValueError: for an unknown engine, a device that is not there, a batch larger than the
            data, or a normalizer that is undefined on the shapes of this net.
    """
    check_name("engine", engine, (*ENGINES, FASTEST))
    if not isinstance(run, Run):
        raise ValueError(f"train takes a Run, got {run!r}. Use Run.from_dict for a dict.")
    require(on_step is None or callable(on_step), f"on_step must be a function, got {on_step!r}.")
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
