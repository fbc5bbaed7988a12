"""Evidence: the raw data behind a verdict, measured here or read from ``results/``."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

import bnlab
from bnlab.claims.verdict import Claim, Verdict, decide
from bnlab.errors import unknown
from bnlab.store import DamagedFileError, read_result, write_result
from bnlab.train import make_device

FORMAT = 1


@dataclass(frozen=True)
class Evidence:
    """What was measured for a claim, and where.

    Attributes:
        claim: the claim.
        data: what ``claim.measure`` returned.
        meta: format, scale, versions, device, seconds of the measurement.
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
        """Computed from the values, each time anew."""
        return decide(self.claim, self.values)

    @cached_property
    def facts(self) -> dict[str, object]:
        """Numbers for sentences in the book."""
        return self.claim.facts(self.data)

    def save(self, folder: Path | None = None) -> Path:
        """Write ``ID.json``, in one step."""
        path = (folder or results_folder()) / file_name(self.claim, self.meta["scale"])
        write_result(path, {"claim": self.claim.id, **self.meta, **self.data})
        return path


META = ("format", "scale", "versions", "device", "seconds")


def results_folder() -> Path:
    """Where the evidence lies: inside the installed package, or in the repository."""
    installed = Path(bnlab.__file__).parent / "results"
    return installed if installed.exists() else Path(bnlab.__file__).parents[2] / "results"


def file_name(claim: Claim, scale: str = "digits") -> str:
    """``B1.json`` for digits, from which verdicts follow; ``B1-cifar10.json`` beside it."""
    return f"{claim.id}.json" if scale == "digits" else f"{claim.id}-{scale}.json"


def command(claim: Claim) -> str:
    """The command that measures a claim anew."""
    return f"python -m bnlab.claims measure {claim.id}"


def load(claim: Claim, folder: Path | None = None) -> Evidence:
    """Read the evidence of a claim.

    Raises:
        FileNotFoundError: if the claim has not been measured.
        DamagedFileError: if the file is truncated, changed by hand or of another format.
    """
    path = (folder or results_folder()) / file_name(claim)
    payload = read_result(path, command(claim))
    try:
        meta = {key: payload.pop(key) for key in META}
        if payload.pop("claim") != claim.id or meta["format"] != FORMAT:
            raise KeyError("claim or format")
    except KeyError as error:
        raise DamagedFileError(
            f"{path.name} is not evidence for {claim.id} in format {FORMAT} ({error}). "
            f"Renew it with '{command(claim)}'."
        ) from error
    return Evidence(claim, payload, meta)


def measure(
    claim: Claim,
    seeds: Sequence[int] | None = None,
    progress: Callable[[Iterable], Iterable] = iter,
    **options: object,
) -> Evidence:
    """Measure a claim here and now.

    Args:
        claim: one that has a measurement.
        seeds: which; the claim's own by default. A verdict needs at least 8 of them.
        progress: wraps the loop over trainings, such as ``tqdm``.
        **options: of the claim's measurement.

    Raises:
        ValueError: for a claim that has no measurement.
    """
    if claim.measure is None:
        raise ValueError(f"claim {claim.id} has no measurement yet.")
    if seeds is not None and (not len(seeds) or len(set(seeds)) < len(seeds)):
        raise ValueError(f"seeds must be different numbers, at least one, got {list(seeds)}.")
    start = time.perf_counter()
    chosen = {} if seeds is None else {"seeds": list(seeds)}
    data = claim.measure(**chosen, progress=progress, **options)
    meta = {
        "format": FORMAT,
        "scale": data["base"]["data"],
        "versions": {
            "bnlab": bnlab.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "device": f"{make_device(options.get('device', 'cpu'))} ({platform.machine()})",
        "seconds": round(time.perf_counter() - start, 1),
    }
    return Evidence(claim, data, meta)


def find(claims: dict[str, Claim], name: str) -> Claim:
    """The claim with this id.

    Raises:
        ValueError: for an unknown id; the known ones are listed.
    """
    if name not in claims:
        raise ValueError(unknown("claim", name, claims))
    return claims[name]
