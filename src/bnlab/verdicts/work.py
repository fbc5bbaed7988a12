"""Work: the parts of a measurement, done here or on an executor, kept as they come, and resumed."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import inspect
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from bnlab.digest import ROOT, CodeChangedError, check_unchanged, code_digest
from bnlab.store import Results
from bnlab.sweep import Code
from bnlab.sweep.collect import collect, kept
from bnlab.sweep.failures import Failure
from bnlab.sweep.histories import short
from bnlab.train import Run
from bnlab.verdicts.provenance import code_meaning

PLAIN = (str, int, float, bool, type(None))
PATIENCE = 3  # failures, before the first result, after which the rest is not tried


class PartsFailedError(RuntimeError):
    """Some parts of a measurement failed; the others are kept if there is a folder.

    If the first ones all failed, the others were not tried.

    Attributes:
        failures: one for each part that failed.
    """

    def __init__(self, message: str, failures: list[Failure]) -> None:
        super().__init__(message)
        self.failures = failures


@dataclass(eq=False)
class Work:
    """How the parts of a measurement are done: a measurement asks for results, item by item.

    The results are the same to the last bit, and in the order of the items, whether they are
    computed here or on an executor, or were kept by a process that was stopped or killed. For
    that, what is called must be a function at the top of a module, its arguments must be made of
    numbers, words, sequences, dicts and dataclasses such as ``Run``, and its result of what JSON
    has. A tuple comes back as a list.

    Attributes:
        folder: each result is kept there until ``forget``, under the function, its code and the
            arguments. None keeps nothing.
        executor: any ``concurrent.futures.Executor``, such as ``bnlab.sweep.processes(4)``; None
            is this process.
        progress: draw a bar for each loop, and say what is there already.
        code: the digest of all code of the measurement, which then counts too: the arguments of a
            part may be mere names of what this code holds.
        seconds: that all results of this object took where they were computed, summed up; the
            same whether they were computed at once, side by side, or by an earlier process.
    """

    folder: Path | None = None
    executor: Executor | None = None
    progress: bool = False
    code: str | None = None
    seconds: float = field(default=0.0, init=False)

    def map(self, function: Callable[[Any], Any], items: Iterable) -> list:
        """``function(item)`` for each item, in their order."""
        return self.starmap(function, [(item,) for item in items])

    def starmap(self, function: Callable, items: Iterable[Sequence]) -> list:
        """``function(*item)`` for each item, in their order.

        Raises:
            ValueError: for a function or an argument of another kind; see ``Work``.
            PartsFailedError: if some failed on an executor or where results are kept; without
                either, the first error itself.
            SweepStoppedError: if the executor or the disk gives up.
            StoreBusyError: if another process keeps its results in the same folder.
            CodeChangedError: if results are kept, and the files of bnlab are no longer those that
                this process runs.
        """
        check_importable(function)
        items = [tuple(item) for item in items]
        keys = [key(item) for item in items]
        if self.folder is None and self.executor is None:
            bar = tqdm(items, desc=label(function), unit="part", disable=not self.progress)
            return [self._timed(function, item) for item in bar]
        found = self._collected(function, dict(zip(keys, items, strict=True)))
        return [found[one] for one in keys]

    def forget(self) -> None:
        """Remove what was kept: the evidence is written."""
        if self.folder is not None and self.folder.exists():
            shutil.rmtree(self.folder)
            with contextlib.suppress(OSError):  # other claims have parts there
                self.folder.parent.rmdir()

    def _timed(self, function: Callable, item: tuple) -> Any:
        start = time.perf_counter()
        value = json.loads(json.dumps(function(*item)))
        self.seconds += time.perf_counter() - start
        return value

    def _collected(self, function: Callable, items: dict[str, tuple]) -> dict[str, Any]:
        name, results = label(function), None
        if self.folder is not None:
            digest = code_of(function, _types(list(items.values())), self.code)
            check_code()
            results = Results(self.folder, f"{name}-{digest}")
            there = len(kept(items, results, decoded))
            if there and self.progress:
                tqdm.write(f"{name}: resumes, {there} of {len(items)} are there already")
        found, failures = collect(
            items,
            functools.partial(parts, function),
            whole_package(),
            results,
            self.executor,
            decode=decoded,
            patience=PATIENCE,
            progress=self.progress,
            label=name,
        )
        if failures:
            counts = len(items), len(found)
            raise PartsFailedError(_message(name, *counts, failures, self.folder), failures)
        self.seconds += sum(seconds for _, seconds in found.values())
        return {one: value for one, (value, _) in found.items()}


HERE = Work()
"""One part after the other in this process; nothing is kept."""


def parts(function: Callable, items: list[tuple]) -> list[dict | Exception]:
    """What a worker does: a result each, as JSON, with the seconds that it took."""
    outcomes: list[dict | Exception] = []
    for item in items:
        start = time.perf_counter()
        try:
            value = json.dumps(function(*item))
        except Exception as error:
            outcomes.append(error)
        else:
            outcomes.append({"value": value, "seconds": time.perf_counter() - start})
    return outcomes


def decoded(kept: dict) -> tuple[Any, float]:
    """Result and seconds of what was kept."""
    return json.loads(kept["value"]), float(kept["seconds"])


def label(function: Callable) -> str:
    """A short name of a function: for a bar and a folder."""
    return function.__name__.strip("_")


def check_importable(function: Callable) -> None:
    """Raise a ``ValueError`` unless another process can import the function by its name."""
    module = sys.modules.get(getattr(function, "__module__", None))
    name = getattr(function, "__qualname__", "")
    if getattr(module, name, None) is not function:
        raise ValueError(
            f"work is done by functions at the top of a module, got {name or function!r}: other "
            "processes must find it by its name, and so must who asks which code made a result."
        )


def key(item: tuple) -> str:
    """Thirty-two hexadecimal digits that name the arguments of a part."""
    text = json.dumps(_plain(item), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: object) -> object:
    if isinstance(value, Run):
        return {"Run": value.to_dict()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {type(value).__name__: {name: _plain(getattr(value, name)) for name in names}}
    if isinstance(value, list | tuple | range):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, PLAIN):
        return value
    raise ValueError(
        "the arguments of work must be numbers, words, sequences, dicts or dataclasses, got "
        f"{value!r}: results are found again by them."
    )


def _types(value: object) -> set[type]:
    """The dataclasses among the arguments of parts."""
    if isinstance(value, dict):
        return _types([*value.values()])
    if isinstance(value, list | tuple):
        return {one for part in value for one in _types(part)}
    if dataclasses.is_dataclass(value):
        fields = [getattr(value, one.name) for one in dataclasses.fields(value)]
        return {type(value)} | _types(fields)
    return set()


def code_of(function: Callable, types: Iterable[type] = (), whole: str | None = None) -> str:
    """Sixteen hexadecimal digits for all on which the results of a function depend.

    These are the definitions of the package that it and the types of its arguments reach, see
    ``code_meaning``, and torch and numpy. For other code they are its whole file and the whole
    package.

    Args:
        function: what computes.
        types: the dataclasses among its arguments: their methods compute too.
        whole: the digest of the whole measurement, if it is known.
    """
    versions = f"torch {torch.__version__} numpy {np.__version__}"
    parts = [_code(function), *sorted(map(_code, types)), whole or ""]
    return hashlib.sha256(" ".join([versions, *parts]).encode()).hexdigest()[:16]


def _code(definition: Callable) -> str:
    if definition.__module__.split(".")[0] == "bnlab":
        return code_meaning(definition)
    return whole_package().digest + Path(inspect.getfile(definition)).read_text("utf-8")


@functools.cache
def whole_package() -> Code:
    """The code that this process runs, which a worker must have too."""
    folders = (path for path in ROOT.iterdir() if (path / "__init__.py").exists())
    names = sorted(path.name for path in (*folders, *ROOT.glob("*.py")))
    return Code(tuple(names), code_digest(names))


def check_code() -> None:
    """Raise a ``CodeChangedError`` if the files are no longer those that this process runs.

    A digest is that of the files, results are those of the code that was loaded from them.
    """
    try:
        check_unchanged(whole_package().parts)
    except CodeChangedError as error:
        raise CodeChangedError(
            f"the code changed while it was running; start again. ({error})"
        ) from error


def _message(name: str, total: int, done: int, failures: list[Failure], folder: Path | None) -> str:
    place = "" if folder is None else f" and kept in {folder}"
    first = "\n".join(f"  {_short(one.item)}: {one.error}" for one in failures[:5])
    more = f"\n  and {len(failures) - 5} more" if len(failures) > 5 else ""
    if done + len(failures) < total:
        counted = f"the first {len(failures)} of {total} parts of {name} failed: stopped."
    else:
        counted = f"{len(failures)} of {total} parts of {name} failed; the others are done{place}."
    return f"{counted}\n{first}{more}"


def _short(item: tuple) -> str:
    return ", ".join(short(one) if isinstance(one, Run) else repr(one) for one in item)
