"""What R3 and R4 measure of perceptrons and of convolutional nets, as one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from bnlab.chapters.batch_renorm import methods
from bnlab.chapters.batch_renorm.methods import Method, at_best
from bnlab.verdicts.work import Work

NETS = {
    "mlp": methods.BASE,
    "conv": methods.BASE.replace(net="plain", width=8),
}
"""What all trainings of a net share. The convolutional one has four layers too, with 8 and then 16
channels, and no shortcuts."""

MOMENTUM = {"mlp": methods.MOMENTUM, "conv": 0.1}
"""Of the running statistics. With the paper's 0.01 they lag behind in a convolutional net of 400
steps: in trials both methods were better with 0.1."""

COLUMNS = ("net", *methods.COLUMNS)
RATES = {"mlp": tuple(2.0**k for k in range(-8, 4)), "conv": tuple(2.0**k for k in range(-5, 4))}
LEAST = 0.5 / 300  # errors count at least as half a test image: a logarithm is taken


def measured(
    seeds: Sequence[int],
    tuned: Mapping[str, Sequence[Method]],
    work: Work,
    tuning: dict | None = None,
    fixed: Callable[[dict], Sequence[tuple[Method, float]]] | None = None,
) -> dict:
    """Choose rates and train with the seeds that count, net by net; see ``methods.measured``.

    Args:
        seeds: that count.
        tuned: of each net, the methods that take their own best rate.
        work: does the trainings.
        tuning: an earlier measurement, whose rates are taken over.
        fixed: further methods of the perceptrons, such as controls, as in ``methods.measured``.

    Returns:
        That of the perceptrons; in ``rows`` the net is the first column, and ``bases`` has what
        the trainings of each net share.
    """
    found = {
        net: methods.measured(
            seeds,
            tuned[net],
            work,
            tuning and of_net(tuning, net),
            fixed if net == "mlp" else None,
            base,
            RATES[net],
        )
        for net, base in NETS.items()
    }
    return {
        **found["mlp"],
        "bases": {net: data["base"] for net, data in found.items()},
        "columns": list(COLUMNS),
        "rows": [[net, *row] for net, data in found.items() for row in data["rows"]],
    }


def of_net(data: dict, net: str) -> dict:
    """The part of a measurement that belongs to one net, as ``methods.measured`` gives it."""
    own = [row[1:] for row in data["rows"] if row[0] == net]
    base = data["bases"][net]
    return {**data, "base": base, "columns": list(methods.COLUMNS), "rows": own}


def decades(data: dict, net: str, batch: Method, renorm: Method) -> np.ndarray:
    """Decades between the test errors of two methods at their best rates, (seeds,)."""
    part = of_net(data, net)
    errors = [
        np.maximum(1 - at_best(part, method, "test_running"), LEAST) for method in (batch, renorm)
    ]
    return np.log10(errors[0] / errors[1])
