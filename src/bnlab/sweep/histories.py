"""``sweep``: the Histories of many Runs."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from pathlib import Path

import bnlab
from bnlab.arguments import checked, require
from bnlab.data import DATASETS
from bnlab.engines.stack import common
from bnlab.errors import check_name
from bnlab.nets import NETS
from bnlab.norms import NORMS
from bnlab.norms.weight import WEIGHT_NORMS
from bnlab.store import NewerVersionError, Results
from bnlab.sweep.collect import collect
from bnlab.sweep.failures import Failure, SweepError
from bnlab.sweep.tasks import Code
from bnlab.train import History, Run, train, train_many
from bnlab.train.many import LARGEST_STACK, WAYS
from bnlab.train.single import ENGINES

PARTS = (
    *("norms", "nets", "methods", "optim", "data", "runs", "engines/engine.py", "train"),
    "random.py",
)
"""Where the code lies on which the numbers of a training depend."""

OWN = {
    "torch": ("engines/eager.py",),
    "stack": ("engines/stack.py", "engines/wide.py"),
    "compiled": ("engines/compiled",),
}
"""Where that of one engine lies; ``fastest`` takes any of them."""

Trainer = Callable[[list[Run], str, str], Sequence]
"""From Runs, an engine and a device to a History each; an exception for a Run that failed."""


@checked
def computes(engine: str) -> tuple[str, ...]:
    """The parts of the package on which the numbers of an engine depend."""
    return (*PARTS, *OWN.get(engine, ("engines",)))


@checked
def train_each(runs: list[Run], engine: str, device: str) -> list[History | Exception]:
    """Train one Run after the other; one that fails does not stop the rest."""
    outcomes: list[History | Exception] = []
    for run in runs:
        try:
            outcomes.append(train(run, engine, device))
        except Exception as error:
            outcomes.append(error)
    return outcomes


def train_together(runs: list[Run], engine: str, device: str) -> list[History]:
    """Train Runs by ``train_many``; an error of one is an error of all."""
    return train_many(runs, engine, device)


def sweep(
    runs: Iterable[Run],
    executor: Executor | None = None,
    store: Path | str | None = None,
    engine: str = "torch",
    device: str = "auto",
    progress: bool = True,
    work: Trainer | None = None,
    chunk: int | None = None,
) -> list[History]:
    """The Histories of many Runs; what the store holds is not computed again.

    Each History is written to the store as soon as it arrives. A sweep that was stopped, killed or
    whose disk was full goes on with the same call. A Run that occurs twice is trained once.

    Args:
        runs: what to train.
        executor: where: None is this process, ``processes(4)`` four of this machine, and
            ``dask.distributed.Client(...).get_executor()`` a cluster. Any
            ``concurrent.futures.Executor`` will do, if its workers have the same bnlab and torch.
        store: a folder; None keeps nothing. A History is found again by its Run, the engine, and
            the content of the code that trains; not by the device, which it names itself.
        engine: of ``train``; or of ``train_many``: ``fastest`` and ``stack`` train Runs of one
            kind together, ``LARGEST_STACK`` of them on each worker.
        device: of ``train``, on the worker.
        progress: draw a progress bar, with an estimate of the time left.
        work: what a worker calls with some of the Runs, if it is something else.
        chunk: with how many at most; by default one, or as many as are trained together.

    Returns:
        One History for each of ``runs``, in their order.

    Raises:
        SweepError: at the end, if some runs failed; it has their errors and all Histories.
        SweepStoppedError: if the executor or the disk gave up.
        StoreBusyError: if another sweep writes to the store.
        NewerVersionError: if the store has a result that a newer version of bnlab wrote.
        CodeChangedError: if the code of bnlab was changed since it was imported.
        ValueError: for an unknown engine, arguments of another kind, or a store for runs of a
            normalizer, net or data set that other code has added to bnlab's tables.

    Example:
        >>> [h.val_accuracy.shape for h in sweep([Run(steps=5)], progress=False)]
        [(2,)]
    """
    together = engine not in ENGINES
    chunk = chunk if chunk is not None else LARGEST_STACK if together else 1
    work = work or (train_together if together else train_each)
    require(
        isinstance(runs, Iterable) and not isinstance(runs, str),
        f"runs must be Runs, such as a list of them, got {runs!r}.",
    )
    runs = list(runs)
    _check(runs, executor, engine, chunk)
    if store is not None:
        _check_code_is_known(runs)
    code = Code.of(computes(engine))
    # Runs of one kind side by side, so that a chunk can be trained together.
    order = sorted(runs, key=lambda run: common(run).key()) if together else runs
    items = {run.key(): run for run in order}
    results = None if store is None else Results(store, f"{engine}-{code.digest}")
    found, failures = collect(
        items,
        functools.partial(_train, work, engine, device),
        code,
        results,
        executor,
        chunk=chunk,
        decode=history,
        progress=progress,
    )
    histories = [found.get(run.key()) for run in runs]
    if failures:
        raise SweepError(_message(failures, len(items), store), failures, histories)
    return histories


def _check(runs: Sequence[Run], executor: object, engine: str, chunk: int) -> None:
    check_name("engine", engine, WAYS)
    for run in runs:
        if not isinstance(run, Run):
            raise ValueError(f"sweep takes Runs, got {run!r}. Use Run.from_dict for a dict.")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        hint = " Use client.get_executor()." if hasattr(executor, "get_executor") else ""
        raise ValueError(f"executor must be a concurrent.futures.Executor, got {executor!r}.{hint}")
    if not isinstance(chunk, int) or isinstance(chunk, bool) or chunk < 1:
        raise ValueError(f"chunk must be an integer of 1 or more, got {chunk!r}.")


def _check_code_is_known(runs: Sequence[Run]) -> None:
    # The digest covers bnlab alone: another class could change and be served old results.
    tables = {"norm": NORMS, "weight_norm": WEIGHT_NORMS, "net": NETS, "data": DATASETS}
    for kind, known in tables.items():
        for name in {getattr(run, kind) for run in runs} & known.keys():
            module = known[name].__module__
            if module.split(".")[0] != "bnlab":
                raise ValueError(
                    f"{kind} {name!r} comes from {module}, and a store would not notice changes "
                    "there. Sweep with store=None, or put it into bnlab."
                )


def _train(work: Trainer, engine: str, device: str, runs: list[Run]) -> list[dict | Exception]:
    outcomes = list(work(runs, engine, device))
    for run, one in zip(runs, outcomes, strict=True):
        if not isinstance(one, Exception) and getattr(one, "run", None) != run:
            raise TypeError(f"the work gave {one!r} for {short(run)}, not its History.")
    return [one if isinstance(one, Exception) else one.to_dict() for one in outcomes]


def history(fields: dict) -> History:
    """The History that was kept; one with more fields is not damaged, but newer."""
    known = {f.name for f in dataclasses.fields(History)} | {
        f.name for f in dataclasses.fields(Run)
    }
    unknown = sorted({*fields, *fields["run"]} - known)
    if unknown:
        raise NewerVersionError(
            f"bnlab {bnlab.__version__} does not know the field {unknown[0]!r}: a newer version "
            "wrote this. Update bnlab, or name another store."
        )
    return History.from_dict(fields)


def _message(failures: list[Failure], total: int, store: object) -> str:
    kept = "" if store is None else f" and kept in {store}"
    first = "\n".join(f"  {short(one.item)}: {one.error}" for one in failures[:5])
    more = f"\n  and {len(failures) - 5} more" if len(failures) > 5 else ""
    return (
        f"{len(failures)} of {total} runs failed; the others are complete{kept}. "
        f"See .failures and .histories of this error.\n{first}{more}"
    )


def short(run: Run) -> str:
    """The Run, without what is as usual."""
    usual = Run().to_dict()
    changed = {k: v for k, v in run.to_dict().items() if v != usual[k]}
    return f"Run({', '.join(f'{k}={v!r}' for k, v in changed.items())})"
