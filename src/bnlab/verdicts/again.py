"""The trainings behind the rows of evidence, and digests of the weights with which they end.

A digest is the first ``DIGEST`` hexadecimal digits of the SHA-256 of the final weights:
little-endian, in the order of the engine's vector, each NaN with the bits of ``NAN``. Where the row
is about running statistics they follow the weights. Two trainings with one digest took the same
steps to the last bit, wherever they were done.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bnlab.engines.engine import Engine, history_of
from bnlab.store import DamagedFileError, read_result, write_result
from bnlab.train import History, Run, make_trainer, threads
from bnlab.verdicts.evidence import Evidence, results_folder
from bnlab.verdicts.race import Arm, outcome
from bnlab.verdicts.table import Table

ENGINE = "compiled"
DIGEST = 16
NAN = {4: 0x7FC00000, 8: 0x7FF8 << 48}
"""Bits of each NaN, by the bytes of a number."""
ROUNDING = 1e-12
FOLDER = "digests"
"""Beside the evidence."""

FORMAT = 1
COLUMNS = ("arm", "seed", "digest")


@dataclass(frozen=True)
class Kind:
    """How rows come about that the History of their Run does not tell.

    Attributes:
        name: what trains them in a page has it, see ``page_rows.js`` of ``bnlab.lab.repeat``.
        columns: of all that such a row may tell; a row without what a race tells has the last ones.
        train: does such a training again: its row, and the vector whose digest is taken.
        fields: what a page has to know of it beside its Run.
    """

    name: str
    columns: tuple[str, ...]
    train: Callable[[Training], tuple[list, np.ndarray]] = field(repr=False)
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """A counted row of evidence, and how it came about.

    Attributes:
        arm: what is compared, such as ``batch_2``: with the seed it names the row.
        seed: that is counted.
        run: what is trained.
        row: what the evidence says of it, behind the seed.
        told: gives the same of a History, or what comes before the rest of it.
        kind: None if ``told`` gives all of it.
    """

    arm: str
    seed: int
    run: Run
    row: list
    told: Callable[[History], list] = field(default=outcome, repr=False)
    kind: Kind | None = None


def trainings_of_race(data: Mapping, arms: Mapping[str, Arm]) -> list[Training]:
    """The counted trainings of these arms of a race, see ``bnlab.verdicts.race``."""
    base, found = Run.from_dict(data["base"]), Table.of(data)
    behind = found.columns.index("seed") + 1
    rows = found.where(arm=list(arms), seed=data["seeds"]).rows
    return [
        Training(arm, seed, base.replace(**arms[arm].fields, lr=lr, seed=seed), row[behind:])
        for row in rows
        for arm, lr, seed in [row[:behind]]
    ]


@threads(1)
def train_again(training: Training) -> tuple[list, str]:
    """Do a training once more on the compiled engine: what became of it, and its digest."""
    if training.kind:
        row, vector = training.kind.train(training)
        return row, digest_of(vector)
    row, trainer = raced(training)
    return row, digest_of(weights_of(trainer))


def weights_of(trainer: Engine) -> np.ndarray:
    """The weights of a net on the compiled engine, in its order."""
    return trainer.heap.read("params", sum(trainer.state.params.sizes))


def raced(training: Training) -> tuple[list, Engine]:
    """What is told of the History of a training, and its engine at the end."""
    trainer = make_trainer(training.run, ENGINE, "cpu")
    records = list(trainer.steps())
    accuracy = math.nan if records[-1].diverged else trainer.test_accuracy()
    return training.told(history_of(training.run, records, accuracy, 0.0, trainer)), trainer


def digest_of(weights: np.ndarray) -> str:
    """The digest of a vector of weights."""
    size = weights.dtype.itemsize
    words = np.asarray(weights, f"<f{size}").view(f"<u{size}").copy()
    words[np.isnan(weights)] = NAN[size]
    return hashlib.sha256(words.tobytes()).hexdigest()[:DIGEST]


def difference(training: Training, row: list) -> str:
    """A sentence if a training gave another row than the evidence has, else nothing.

    Numbers of less than ``ROUNDING`` are errors of rounding, which machines make differently.
    """
    if list(map(_beside_rounding, row)) == list(map(_beside_rounding, training.row)):
        return ""
    return f"arm {training.arm}, seed {training.seed} gives {row}, the evidence has {training.row}"


def _beside_rounding(entry: object) -> object:
    return 0.0 if isinstance(entry, float) and abs(entry) < ROUNDING else entry


def digests(stored: Evidence, trainings: Iterable[Training]) -> dict[tuple[str, int], str]:
    """Train all rows again; the digest of each by arm and seed.

    Raises:
        ValueError: if one is not, to the last bit, the row of the evidence.
    """
    found = {}
    for training in trainings:
        row, digest = train_again(training)
        if wrong := difference(training, row):
            raise ValueError(
                f"{stored.claim.id}: {wrong}. No digest is written: find out with 'python -m "
                f"bnlab.claims check {stored.claim.id} --repeat 2' what changed."
            )
        found[training.arm, training.seed] = digest
    return found


def digest_path(name: str, folder: Path | None = None) -> Path:
    """Where the digests of the claim with this id lie."""
    return (folder or results_folder()) / FOLDER / f"{name}.json"


def save_digests(
    stored: Evidence, found: Mapping[tuple[str, int], str], folder: Path | None = None
) -> Path:
    """Write the digests of the rows of a claim."""
    path = digest_path(stored.claim.id, folder=folder)
    rows = [[arm, seed, digest] for (arm, seed), digest in found.items()]
    write_result(
        path,
        {"claim": stored.claim.id, "format": FORMAT, "columns": list(COLUMNS), "rows": rows},
    )
    return path


def load_digests(name: str, trainings: Iterable[Training], folder: Path | None = None) -> list[str]:
    """The digest of each of these trainings.

    Raises:
        FileNotFoundError: if there are none.
        DamagedFileError: if the file was changed by hand, or lacks a training.
    """
    renew = f"python -m bnlab.claims digest {name}"
    path = digest_path(name, folder=folder)
    payload = read_result(path, renew)
    try:
        if (payload["claim"], payload["format"]) != (name, FORMAT):
            raise KeyError("claim or format")
        known = {(arm, seed): digest for arm, seed, digest in payload["rows"]}
        return [known[one.arm, one.seed] for one in trainings]
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedFileError(
            f"{path.name} does not hold the digests of {name} ({error}). Renew it with '{renew}'."
        ) from error
