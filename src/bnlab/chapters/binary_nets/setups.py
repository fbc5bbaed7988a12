"""The search for set-ups that came before the claims: in which binary nets can anything fail?

``python -m bnlab.chapters.binary_nets.setups 2000`` trains them all with this seed, which is not
counted, and writes ``setups.json`` beside this module; interrupted, the same command goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path

from bnlab.chapters.binary_nets.trainings import BASE, Setup, trained
from bnlab.store import read_result, write_result
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import best_rate, scores
from bnlab.verdicts.work import HERE, Work

FILE = Path(__file__).with_suffix(".json")
KEPT = Path(".cache/setups/binary_nets")
COMMAND = "python -m bnlab.chapters.binary_nets.setups 2000"
COLUMNS = (
    *(field.name for field in fields(Setup)),
    *("lr", "seed", "val_accuracy", "test_accuracy", "inside_first", "inside", "diverged_at"),
)
SMALL, USUAL, LARGE = (0.003, 0.01, 0.03), (0.01, 0.03), (0.01, 0.03, 0.1)
SGD = (0.03, 0.1, 0.3, 1.0, 3.0)
SIGNS, BARE = {"scale": "none"}, {"shortcuts": False}
PARTS = ("clip", "standardized", "block")
SEARCHED = (
    (("none",), (*LARGE, 0.3), SIGNS),
    (("clip",), LARGE, SIGNS),
    (("divided", "block"), SMALL, SIGNS),
    (("batch",), USUAL, SIGNS),
    (("batch", "none"), SMALL, BARE),
    (("none", "divided"), LARGE, SIGNS | BARE),
    (("widened",), USUAL, SIGNS),
    (("widened",), USUAL, SIGNS | BARE),
    (("batch",), USUAL, SIGNS | BARE),
    (("none",), LARGE, SIGNS | {"depth": 16}),
    (("none",), LARGE, SIGNS | BARE | {"depth": 16}),
    (("batch", "none"), USUAL, {"depth": 16}),
    (("batch", "none"), USUAL, BARE | {"depth": 16}),
    (("batch", "none"), USUAL, {"depth": 3}),
    (("none",), LARGE, SIGNS | {"depth": 3}),
    (("none",), LARGE, SIGNS | BARE | {"depth": 3}),
    (("batch", "none", "standardized"), USUAL, {"first_weights": "positive"}),
    (("none",), LARGE, SIGNS | {"first_weights": "positive"}),
    (("batch", "none"), SGD[:3], {"optimizer": "sgd"}),
    (("three", "block"), SGD, {"optimizer": "sgd"}),
    (("none",), (0.001, 0.003, 0.01), SIGNS | {"optimizer": "sgd"}),
    (("batch", "none", "three"), USUAL, {"stages": 2}),
    (("batch", "none", "three", *PARTS), SMALL, {}),
)
"""Methods, learning rates, and what else the nets have."""


def cases(seeds: Sequence[int]) -> Iterator[tuple[Setup, float, int]]:
    """Each set-up with its rates, seed by seed."""
    for seed in seeds:
        for methods, lrs, options in SEARCHED:
            for method in methods:
                yield from ((Setup(method, **options), lr, seed) for lr in lrs)


def search(seeds: Sequence[int], work: Work = HERE) -> dict:
    """Train all of them: the table."""
    wanted = list(cases(seeds))
    found = work.starmap(trained, [(BASE, *case) for case in wanted])
    rows = [
        [*astuple(setup), lr, seed, *numbers]
        for (setup, lr, seed), numbers in zip(wanted, found, strict=True)
    ]
    return {"base": BASE.to_dict(), "seeds": list(seeds), "columns": list(COLUMNS), "rows": rows}


def load() -> dict:
    """The stored table of the search."""
    return read_result(FILE, COMMAND)


def accuracy(table: dict, method: str, **options: object) -> float:
    """Test accuracy of a set-up at its best rate (by validation), in per cent, mean over seeds."""
    wanted = asdict(Setup(method, **options))
    rows = Table.of(table).where(**wanted)
    lrs = sorted({lr for (lr,) in rows.distinct("lr")})
    along = {"lr": lrs, "seed": table["seeds"]}
    best = best_rate(lrs, scores(rows, "val_accuracy", **along))
    return 100 * float(scores(rows.where(lr=best), "test_accuracy").mean())


def main() -> None:
    """Search with the seeds of the command line, and write the table."""
    parser = argparse.ArgumentParser(description="Search for set-ups; see the module.")
    parser.add_argument("seeds", nargs="+", type=int)
    work = Work(KEPT, progress=True)
    write_result(FILE, search(parser.parse_args().seeds, work))
    work.forget()


if __name__ == "__main__":
    main()
