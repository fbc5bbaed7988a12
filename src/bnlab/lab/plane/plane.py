"""Plane: gamma and learning rate; a click trains the net of that point and shows what happened.

``python -m bnlab.lab.plane.plane`` measures anew what the predicted line is drawn from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from bnlab.chapters.mean_field import wide_net
from bnlab.chapters.mean_field.wide_net import THROUGH, UNIT
from bnlab.errors import check_name
from bnlab.lab.kit.bundle import bundle, stylesheet
from bnlab.lab.kit.first import First, first_of
from bnlab.lab.kit.points import EVALUATE_EVERY, Points
from bnlab.lab.kit.training_widget import TrainingWidget
from bnlab.lab.kit.widget import Content, check_flag, check_keys, one_of
from bnlab.store import write_text
from bnlab.train import Run, build, make_device, make_trainer

FOLDER = Path(__file__).parent
NORMS = ("batch", "none")
DEPTHS = (2, 4, 8)
MOMENTUMS = (0.0, 0.9)
GAMMAS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""The paper's rates, for half the squared distance; a Run has UNIT times as much."""

SEEDS = (0, 1, 2)
NUMBERS = ("depth", "momentum", "gamma", "rate", "seed")
BASE = Run(net="mlp", width=64, loss="squared_error", steps=100, eval_every=EVALUATE_EVERY)
CURVATURE = FOLDER / "plane_curvature.json"


def plane_run(
    norm: str, *, depth: int, momentum: float, gamma: float, rate: float, seed: int
) -> Run:
    """The Run of one point of the plane; without a normalizer gamma means nothing."""
    return BASE.replace(
        norm=norm,
        depth=depth,
        gamma=gamma if norm == "batch" else 1.0,
        lr=UNIT * rate,
        optimizer_options={"momentum": momentum},
        seed=seed,
    )


def curvature(norm: str, depth: int, gamma: float, seed: int) -> float:
    """Largest Fisher eigenvalue of an untrained net, with gradients through the statistics."""
    point = {"momentum": 0.0, "gamma": gamma, "rate": 1.0, "seed": seed}
    return wide_net.eigenvalue(build(plane_run(norm, depth=depth, **point)), THROUGH)


def measure_curvatures() -> dict[str, float]:
    """The curvature of every net of the plane, by its ``key``."""
    return {
        key(norm, depth, gamma, seed): curvature(norm, depth, gamma, seed)
        for norm in NORMS
        for depth in DEPTHS
        for gamma in (GAMMAS if norm == "batch" else (1.0,))
        for seed in SEEDS
    }


def key(norm: str, depth: int, gamma: float, seed: int) -> str:
    """A name for the net, as plane_state.js writes it."""
    return f"{norm} {depth} {gamma:g} {seed}"


class Plane(TrainingWidget):
    """The plane of gamma and learning rate; the drawing is done by JavaScript.

    A net of width 64 is trained on digits with the squared error for 100 steps, batches of 64.
    With a kernel, PyTorch trains in a thread; on the website the net trains in the page. The line
    is eta* = 2 (1 + momentum) / lambda, with the largest eigenvalue lambda of the Fisher matrix
    measured at the start, by Python and beforehand.

    Args:
        norm: ``batch`` or ``none``.
        depth: hidden layers, one of ``DEPTHS``.
        momentum: one of ``MOMENTUMS``.
        gamma: of the chosen point, one of ``GAMMAS``.
        rate: of the chosen point, one of ``RATES``.
        seed: of weights and batches, one of ``SEEDS``.
        predict: ask for a guess before a point is trained.
        device: ``auto``, or a name that torch knows.

    Raises:
        ValueError: for a value that the widget does not offer, with those that it does.
    """

    _esm = bundle(FOLDER / "plane.js")
    _css = stylesheet(FOLDER / "plane.css")

    def __init__(
        self,
        norm: str = "batch",
        depth: int = 4,
        momentum: float = 0.9,
        gamma: float = 1.0,
        rate: float = 0.1,
        seed: int = SEEDS[0],
        predict: bool = False,
        device: str = "auto",
    ) -> None:
        numbers = zip(NUMBERS, (depth, momentum, gamma, rate, seed), strict=True)
        state = {"norm": norm, **dict(numbers), "predict": predict}
        device = str(make_device(device))
        super().__init__(options(device), state, device)

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does.

        A request may also have ``cells``, pairs of gamma and rate.
        """
        asked = dict(state) if isinstance(state, dict) else state
        cells = asked.pop("cells", None) if isinstance(asked, dict) else None
        asked = check_keys(asked, ["norm", *NUMBERS, "predict"])
        check_name("normalizer", asked["norm"], NORMS)
        checked = {"norm": asked["norm"]}
        checked |= {name: one_of(name, asked[name], options[f"{name}s"]) for name in NUMBERS}
        checked |= {"predict": check_flag("predict", asked["predict"])}
        return checked | ({} if cells is None else {"cells": _check_cells(cells, options)})

    def warm_up(self) -> Iterator:
        """Load data and torch's optimizers before the reader asks for a point."""
        run = plane_run("batch", depth=2, momentum=0.9, gamma=1.0, rate=0.1, seed=0)
        return self.train_in_turns({"warm": run.replace(steps=1)})

    def begin(self, state: dict[str, object]) -> Iterable:
        """The nets of the cells that were asked for, one after the other."""
        fixed = {name: state[name] for name in ("norm", "depth", "momentum", "seed")}
        for gamma, rate in state.get("cells", [[state["gamma"], state["rate"]]]):
            run = plane_run(**fixed, gamma=gamma, rate=rate)
            yield from self.train_in_turns({f"{gamma:g}|{rate:g}": run})


def first() -> First:
    """What the page shows where it cannot train: every point of the plane, with few losses."""
    fixed = ("norm", "depth", "momentum", "seed")

    def points(state: dict[str, object]) -> Iterator[Content]:
        for gamma in GAMMAS:
            for rate in RATES:
                setting = {name: state[name] for name in fixed}
                found = Points()
                run = plane_run(**setting, gamma=gamma, rate=rate)
                for record in make_trainer(run, "compiled").steps():
                    found.add(record)
                loss = found.loss
                some = [*loss[:4], *loss[4::4]] if loss[4:] else loss
                yield (
                    f"{gamma:g}|{rate:g}",
                    {"loss": some, "diverged_at": found.diverged_at, "done": True},
                )

    return first_of(Plane, fixed, points)


def options(device: str) -> dict[str, object]:
    """What the widget offers, and the curvatures that its line is drawn from."""
    return {
        "norms": list(NORMS),
        "depths": list(DEPTHS),
        "momentums": list(MOMENTUMS),
        "gammas": list(GAMMAS),
        "rates": list(RATES),
        "seeds": list(SEEDS),
        "steps": BASE.steps,
        "batch_size": BASE.batch_size,
        "unit": UNIT,
        "curvatures": json.loads(CURVATURE.read_text("utf-8")),
        "device": device,
        "net": BASE.net,
        "width": BASE.width,
        "name": "plane",
        "compiled": "squares",
        "job": "plane",
        "first": True,
        "badge": "in this page, same bits as in Python",
    }


def _check_cells(cells: object, options: dict) -> list[list[float]]:
    if not isinstance(cells, list) or not all(
        isinstance(cell, list) and len(cell) == 2 for cell in cells
    ):
        raise ValueError(f"cells must be a list of pairs [gamma, rate], got {cells!r}.")
    names = ("gamma", "rate")
    return [
        [one_of(name, value, options[f"{name}s"]) for name, value in zip(names, cell, strict=True)]
        for cell in cells
    ]


if __name__ == "__main__":
    write_text(CURVATURE, json.dumps(measure_curvatures(), indent=0) + "\n")
