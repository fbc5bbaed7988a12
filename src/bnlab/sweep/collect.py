"""Compute what is missing, on any executor, and keep each result as soon as it is there."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from tqdm.auto import tqdm

from bnlab.arguments import require
from bnlab.store import NewerVersionError, Results
from bnlab.sweep.failures import Failure, SweepStoppedError
from bnlab.sweep.tasks import Code, Work, attempt, run_tasks


def collect(
    items: dict[str, Any],
    work: Work,
    code: Code,
    results: Results | None = None,
    executor: Executor | None = None,
    *,
    chunk: int = 1,
    patience: int | None = None,
    decode: Callable[[dict], Any] = dict,
    progress: bool = True,
    label: str = "sweep",
) -> tuple[dict[str, Any], list[Failure]]:
    """One result for each item: those that are kept are read, the others computed and kept.

    Args:
        items: key to item; an item travels to the workers.
        work: called there with lists of items.
        code: on which the results depend.
        results: where they are kept; None keeps them in memory only.
        executor: where ``work`` runs; None is this process.
        chunk: how many items are given to ``work`` at a time.
        patience: after so many failures, and no result, the rest is not tried; None tries all.
        decode: from a result as it is kept to the one returned. What it refuses with a KeyError,
            TypeError or ValueError is damaged, and computed anew.
        progress: draw a progress bar.
        label: its name.

    Returns:
        Key to result, and what failed; with ``patience``, what was not tried is in neither.

    Raises:
        SweepStoppedError: if the executor or the disk gives up.
        StoreBusyError: if another process writes to ``results``.
    """
    for name, value, kind in (("items", items, Mapping), ("code", code, Code)):
        require(isinstance(value, kind), f"{name} must be a {kind.__name__}, got {value!r}.")
    is_kept = results is None or isinstance(results, Results)
    require(is_kept, f"results must be a bnlab.store.Results or None, got {results!r}.")
    found = kept(items, results, decode)
    failures: list[Failure] = []
    if len(found) < len(items):
        with _writing(results):
            # Another sweep may have ended in between.
            missing = [key for key in items if key not in found]
            found |= kept(missing, results, decode)
            _warn_of_damage(results)
            missing = [key for key in missing if key not in found]
            chunks = [missing[i : i + chunk] for i in range(0, len(missing), chunk)]
            task = functools.partial(attempt, work, code)
            bar = tqdm(
                total=len(items),
                initial=len(found),
                desc=label,
                unit="run",
                disable=not progress,
            )
            finished = run_tasks(executor, task, chunks, items)
            with bar, contextlib.closing(finished):
                for key, outcome in finished:
                    if isinstance(outcome, Failure):
                        failures.append(outcome)
                        bar.set_postfix(failed=len(failures))
                    else:
                        _keep(results, key, outcome)
                        found[key] = decode(outcome)
                    bar.update()
                    if patience and not found and len(failures) >= patience:
                        break
    return found, failures


def _writing(results: Results | None) -> contextlib.AbstractContextManager:
    return _store_errors(results) if results is not None else contextlib.nullcontext()


@contextlib.contextmanager
def _store_errors(results: Results) -> Iterator[None]:
    """Hold the lock of the store; say what to do when it cannot be had."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(results.writing())
        except OSError as error:
            raise SweepStoppedError(
                f"the store {results.folder} cannot be written ({error}); nothing was computed. "
                "Name a folder that can be written."
            ) from error
        yield


def _keep(results: Results | None, key: str, outcome: dict) -> None:
    if results is None:
        return
    try:
        results.write(key, outcome)
    except OSError as error:
        raise SweepStoppedError(
            f"a result could not be written to {results.folder} ({error}). All earlier ones are "
            "kept there: mend that and make the same call again, it goes on from there."
        ) from error


def kept(
    keys: Sequence[str] | dict, results: Results | None, decode: Callable[[dict], Any]
) -> dict[str, Any]:
    """Key to result, of those that are kept and can be read; see ``collect``."""
    found: dict[str, Any] = {}
    for key in keys if results is not None else ():
        try:
            fields = results.read(key)
        except OSError as error:
            raise SweepStoppedError(f"a result cannot be read ({error}).") from error
        if fields is None:
            continue
        try:
            found[key] = decode(fields)
        except NewerVersionError as error:
            raise NewerVersionError(f"{results.path(key)}: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            results.reject(key, f"{key}.json is foreign: not such a result ({error}).")
    return found


def _warn_of_damage(results: Results | None) -> None:
    if results is None or not results.damaged:
        return
    reasons = list(results.damaged.values())
    more = f" And {len(reasons) - 5} more." if len(reasons) > 5 else ""
    warnings.warn(
        f"{len(reasons)} of the results in {results.folder} cannot be used and are computed "
        f"again. {' '.join(reasons[:5])}{more}",
        stacklevel=4,
    )
