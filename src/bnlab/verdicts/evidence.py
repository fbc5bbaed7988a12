"""Evidence: the raw data behind a verdict, measured here or read from ``results/``."""

from __future__ import annotations

import dataclasses
import inspect
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

import bnlab
from bnlab.data import load as load_images
from bnlab.errors import check_name, unknown
from bnlab.store import DamagedFileError, read_result, write_result
from bnlab.train import Run, make_device
from bnlab.train.single import ENGINES
from bnlab.verdicts import history
from bnlab.verdicts.definition import definition
from bnlab.verdicts.provenance import code_meaning
from bnlab.verdicts.verdict import LEAST_SEEDS, Claim, Verdict, decide
from bnlab.verdicts.work import HERE, Work, check_code

FORMAT = 1


@dataclass(frozen=True)
class Evidence:
    """What was measured for a claim, and where.

    Attributes:
        claim: the claim.
        data: what ``claim.measure`` returned.
        meta: format, scale, versions, device, seconds of all parts of the measurement, one after
            the other; on CIFAR-10 which copy of the images; the verdict when it was measured and
            the code that measured it; when and by what measures, and what the file held before (see
            ``history``).
    """

    claim: Claim
    data: dict
    meta: dict

    @cached_property
    def values(self) -> dict[str, np.ndarray]:
        """Each effect's numbers, one a seed."""
        return self.claim.values(self.data)

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict that follows from the values today."""
        return decide(self.claim, self.values)

    @cached_property
    def facts(self) -> dict[str, object]:
        """Numbers for sentences in the book."""
        return self.claim.facts(self.data)

    def save(self, folder: Path | None = None) -> Path:
        """Write ``ID.json`` or ``ID-cifar10.json``, in one step."""
        path = (folder or results_folder()) / file_name(self.claim, self.meta["scale"])
        write_result(path, {"claim": self.claim.id, **self.meta, **self.data})
        return path


META = ("format", "scale", "versions", "device", "seconds")
UNFINISHED = ".unfinished"
BESIDE = ("torch", "stack")
"""Folders, beside the evidence that counts, of measurements repeated by these engines."""

LATER = ("images", "verdict", "code", *history.KEYS)  # some files lack them


def results_folder() -> Path:
    """Where the evidence lies: inside the installed package, or in the repository."""
    installed = Path(bnlab.__file__).parent / "results"
    return installed if installed.exists() else Path(bnlab.__file__).parents[2] / "results"


def file_name(claim: Claim, scale: str = "digits") -> str:
    """``B1.json`` for digits, ``B1-cifar10.json`` for CIFAR-10: each has a verdict of its own."""
    return f"{claim.id}.json" if scale == "digits" else f"{claim.id}-{scale}.json"


def _of_engine(folder: Path, engine: str | None) -> Path:
    return folder if engine is None else folder / engine


def command(claim: Claim, scale: str = "digits", engine: str | None = None) -> str:
    """The command that measures a claim anew."""
    more = "" if scale == "digits" else f" --scale {scale}"
    more += "" if engine is None else f" --engine {engine}"
    return f"python -m bnlab.claims measure {claim.id}{more}"


def load(
    claim: Claim, folder: Path | None = None, scale: str = "digits", engine: str | None = None
) -> Evidence:
    """Read the evidence of a claim.

    Args:
        claim: which.
        folder: where it lies; by default ``results_folder()``.
        scale: ``digits``, or another one that the claim has.
        engine: None for the evidence that counts; one of ``BESIDE`` for its repetition by that
            engine.

    Raises:
        ValueError: for an engine, if the claim's measurement has no choice of it.
        FileNotFoundError: if the claim has not been measured.
        DamagedFileError: if the file is truncated, changed by hand or of another format.
    """
    claim = claim.at(scale)
    if engine is not None:
        check_options(claim, {"engine": engine})
    path = _of_engine(folder or results_folder(), engine) / file_name(claim, scale)
    payload = read_result(path, command(claim, scale, engine))
    try:
        meta = {key: payload.pop(key) for key in META}
        meta |= {key: payload.pop(key) for key in LATER if key in payload}
        if payload.pop("claim") != claim.id or meta["format"] != FORMAT or meta["scale"] != scale:
            raise KeyError("claim, format or scale")
    except KeyError as error:
        raise DamagedFileError(
            f"{path.name} is not evidence for {claim.id} in format {FORMAT} ({error}). "
            f"Renew it with '{command(claim)}'."
        ) from error
    return Evidence(claim, payload, meta)


def is_there(claim: Claim, scale: str = "digits", folder: Path | None = None) -> bool:
    """Whether a claim has evidence at a scale."""
    return ((folder or results_folder()) / file_name(claim, scale)).exists()


def measure(
    claim: Claim,
    seeds: Sequence[int] | None = None,
    work: Work = HERE,
    **options: object,
) -> Evidence:
    """Measure a claim here and now.

    Args:
        claim: one that has a measurement, at the scale that is wanted.
        seeds: which; the claim's own by default. A verdict needs at least 8 of them.
        work: does its parts: on an executor, or kept so that they can be resumed; by default one
            after the other in this process.
        **options: of the claim's measurement.

    Raises:
        ValueError: for a claim that has no measurement, or an option that it does not have; for
            a device or an engine that cannot be used.
        CodeChangedError: if the code of bnlab changed while it was running.
    """
    if claim.measure is None:
        raise ValueError(f"claim {claim.id} has no measurement yet.")
    if seeds is not None and (not len(seeds) or len(set(seeds)) < len(seeds)):
        raise ValueError(f"seeds must be different numbers, at least one, got {list(seeds)}.")
    check_options(claim, options)
    device, code = make_device(options.get("device", "cpu")), code_meaning(claim.measure)
    check_code()
    own = dataclasses.replace(work, code=code)
    chosen = {} if seeds is None else {"seeds": list(seeds)}
    data = claim.measure(**chosen, work=own, **options)
    check_code()
    meta = {
        "format": FORMAT,
        "scale": claim.scale,
        "versions": versions(),
        "device": f"{device} ({platform.machine()})",
        "seconds": round(own.seconds, 1),
        "code": {"digest": code, "how": "measured"},
    }
    if source := _source(Run.from_dict(data["base"])):
        meta["images"] = source
    found = Evidence(claim, data, meta)
    if len(data["seeds"]) >= LEAST_SEEDS:
        meta["verdict"] = found.verdict.summary
        meta["result"] = history.result(history.MEASURED, definition(claim))
    return found


def _source(run: Run) -> str:
    """Where the images of a Run come from, if there is more than one copy of them."""
    return load_images(run.data, run.split_seed, run.image_size).source


def with_past(found: Evidence, past: Evidence | None) -> Evidence:
    """New evidence for a claim, with the earlier results of the evidence that it replaces."""
    meta = history.with_past(found.meta, past.meta if past else None)
    return dataclasses.replace(found, meta=meta)


def judged(stored: Evidence) -> Evidence:
    """The same rows, judged by today's rule and measures; the verdict before stays beside.

    It is the same object if that changes nothing.
    """
    before = stored.meta.get("result", {}).get("definition"), stored.meta.get("verdict")
    if before == (definition(stored.claim), stored.verdict.summary):
        return stored
    meta = {
        **stored.meta,
        "verdict": stored.verdict.summary,
        "result": history.result(history.JUDGED, definition(stored.claim)),
    }
    return with_past(dataclasses.replace(stored, meta=meta), stored)


def versions() -> dict[str, str]:
    """The versions of what computes."""
    return {
        "bnlab": bnlab.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def check_options(claim: Claim, options: dict) -> None:
    """Raise a ``ValueError`` for an option that the measurement of a claim does not have."""
    for name in options:
        if name not in claim.options:
            known = claim.options or ("none",)
            raise ValueError(unknown(f"option of the measurement of {claim.id}:", name, known))
    if options.get("engine") is not None:
        # The module of a measurement lists its engines, if they are not those of every training.
        known = getattr(inspect.getmodule(claim.measure), "ENGINES", ENGINES)
        check_name("engine", options["engine"], dict.fromkeys(known))
    if "engine" in claim.options and options.get("tuning"):
        _check_tuning(claim, options["tuning"].get("engine"), options.get("engine"))


def _check_tuning(claim: Claim, tuned: str | None, engine: str | None) -> None:
    """Rates that one engine chose are not those of another."""
    asked = engine or inspect.signature(claim.measure).parameters["engine"].default
    if tuned and tuned != asked:
        raise ValueError(
            f"tuning is a measurement of {claim.id} by engine={tuned!r}, which chose rates of its "
            f"own, and engine={asked!r} shall train: leave tuning out, or choose engine={tuned!r}."
        )


def unfinished(claim: Claim, folder: Path, scale: str = "digits") -> Path:
    """Where the parts of a measurement are kept until its evidence is written into the folder."""
    return folder / UNFINISHED / Path(file_name(claim, scale)).stem


def find(claims: dict[str, Claim], name: str) -> Claim:
    """The claim with this id.

    Raises:
        ValueError: for an unknown id; the known ones are listed.
    """
    if name not in claims:
        raise ValueError(unknown("claim", name, claims))
    return claims[name]
