"""N4: how long it takes to evaluate one architecture, by the supernet and by the score.

An evaluation makes the statistics of a path anew and counts right answers on validation images. A
score sums entries of a table. The official code makes the table once; ``bn_indicator`` makes it at
each call. Both are timed; to copy a path out of the supernet is not. The rows have what is counted,
which is the same everywhere; ``times`` has what the clock said on the machine that measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from bnlab.chapters.bn_nas.space import BASE, costs, drawn
from bnlab.chapters.bn_nas.trainings import (
    BATCH,
    BATCHES,
    MARKS,
    RATES,
    STEPS,
    TRAINED,
    Search,
    calibration,
    score,
    trainer_of,
)
from bnlab.nets.architecture import bn_indicator, indicator_table
from bnlab.nets.supernet import Supernet
from bnlab.norms import recompute_statistics
from bnlab.runs.evaluate import evaluate
from bnlab.train import Run, Trainer, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1100, 1116))
PATHS, LOOKUPS, INDICATORS = 16, 200, 5
"""Of each unit's architectures the first ones are timed, each score several times."""

WARM = 3  # evaluations before the clock runs: the first ones load and allocate
CANDIDATES = 1000
"""Architectures that a whole search evaluates; the paper's evolution looks at about as many."""

COLUMNS = ("seed", "images", "multiplications", "additions")
"""Per architecture: images that an evaluation passes through the net, its multiplications (mean
over the architectures), and the additions of a score."""

TIMED = ("training", "evaluation", "indicator", "table", "lookup", "norms", "last")
"""Seconds of the supernet's whole training, of an evaluation, of ``bn_indicator``, of making the
table, and of a look-up in it; and of the whole training of fewer weights, see ``TRAINED``."""


def measure(seeds: Sequence[int] = SEEDS, work: Work = HERE, base: Run = BASE) -> dict:
    """Time evaluations and scores in each unit's supernet, after a tenth of its training."""
    found = work.starmap(_timed, [(base, seed) for seed in seeds])
    return {
        "base": base.to_dict(),
        "seeds": list(seeds),
        "timed": list(TIMED),
        "times": [one["times"] for one in found],
        "columns": list(COLUMNS),
        "rows": [[seed, *one["counted"]] for seed, one in zip(seeds, found, strict=True)],
    }


@threads(1)
def _timed(base: Run, seed: int) -> dict:
    others = [_begun(base, kind, seed)[1] for kind in TRAINED[1:]]
    trainer, training = _begun(base, TRAINED[0], seed)
    net, paths = trainer.net, drawn(seed)[:PATHS]
    subnets, batches = [net.subnet(path) for path in paths], calibration(trainer)

    def evaluated(chosen: Sequence[Supernet]) -> None:
        for subnet in chosen:
            recompute_statistics(subnet, batches)
            evaluate(subnet, trainer.val_x, trainer.val_y)

    evaluated(subnets[:WARM])
    evaluation = _seconds(lambda: evaluated(subnets), PATHS)
    indicator = _seconds(
        lambda: [bn_indicator(net, path) for path in paths for _ in range(INDICATORS)],
        PATHS * INDICATORS,
    )
    making, table = _seconds(lambda: indicator_table(net), 1), indicator_table(net)
    lookup = _seconds(
        lambda: [score(table, path) for path in paths for _ in range(LOOKUPS)], PATHS * LOOKUPS
    )
    images = BATCHES * BATCH + len(trainer.val_x)
    work = round(images * float(np.mean([costs(path)[0] for path in paths])))
    seconds = [training, evaluation, indicator, making, lookup, *others]
    return {
        "times": [float(f"{each:.4g}") for each in seconds],
        "counted": [images, work, base.depth - 1],
    }


def _begun(base: Run, kind: str, seed: int) -> tuple[Trainer, float]:
    """A supernet after a tenth of its training, and the seconds that all of it would take."""
    trainer, start = trainer_of(base, Search(kind, RATES[kind]), seed), time.process_time()
    for record in trainer.steps():
        if record.step == MARKS[0]:
            break
    return trainer, (time.process_time() - start) * STEPS / MARKS[0]


def _seconds(once: Callable[[], object], count: int) -> float:
    """Seconds of this process, for one of ``count`` things."""
    start = time.process_time()
    once()
    return (time.process_time() - start) / count


def seconds_of(data: dict, name: str) -> np.ndarray:
    """One of ``TIMED``, (seeds,)."""
    return np.array(data["times"])[:, data["timed"].index(name)]


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of N4 in decades, one number a unit."""
    evaluation = seconds_of(data, "evaluation")
    return {
        "lookup": np.log10(evaluation / seconds_of(data, "lookup")),
        "indicator": np.log10(evaluation / seconds_of(data, "indicator")),
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: geometric means; ``search`` counts the supernet's training too."""
    training, evaluation, indicator, making, lookup, norms, last = (
        seconds_of(data, name) for name in TIMED
    )
    by_accuracy = training + CANDIDATES * evaluation
    by_score = training + making + CANDIDATES * lookup
    table = Table.of(data)
    counted = table.column("multiplications") / table.column("additions")
    numbers = {
        "lookup": evaluation / lookup,
        "indicator": evaluation / indicator,
        "search": by_accuracy / by_score,
        "search_tenth": by_accuracy / (by_score - 0.9 * training),
        "counted": counted,
        "training_seconds": training,
        "shorter_norms": training / norms,
        "shorter_last": training / last,
        "evaluation_milliseconds": 1e3 * evaluation,
        "indicator_milliseconds": 1e3 * indicator,
        "lookup_microseconds": 1e6 * lookup,
    }
    return {name: np.exp(np.log(each).mean()) for name, each in numbers.items()} | {
        "seeds": len(data["seeds"]),
        "candidates": CANDIDATES,
        "images": int(table.column("images")[0]),
    }
