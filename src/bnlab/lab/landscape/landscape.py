"""Landscape: train to a step, then look along the gradient and over a plane."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bnlab.chapters.smoothness import s4_along_gradient
from bnlab.lab.kit.bundle import bundle, stylesheet
from bnlab.lab.kit.first import First, first_of
from bnlab.lab.kit.widget import (
    ComputingWidget,
    Content,
    check_flag,
    check_keys,
    check_norms,
    names_of,
    one_of,
)
from bnlab.lab.landscape.slide import LOOK_EVERY, MULTIPLES, PLANE, walk
from bnlab.train import Run, make_device

FOLDER = Path(__file__).parent
NORMS = ("none", "batch", "l1_batch", "l2_batch", "linf_batch")
LRS = (0.01, 0.03, 0.1, 0.3, 1.0)
DEPTHS = (1, 2, 3, 4, 6, 8, 10, 12)
LAST, EVERY = 300, 10
STEPS = tuple(range(0, LAST + 1, EVERY))
SEEDS = s4_along_gradient.SEEDS
FEWEST = 1
NET, WIDTH, BATCH_SIZE = "mlp", 64, 64
BAND = (0.5, 4.0)  # multiples of the rate between which the range of the loss is taken
NUMBERS = ("lr", "depth", "step", "length", "seed")


class Landscape(ComputingWidget):
    """The loss along the gradient and on a plane, of nets that were trained to a step.

    All nets start from the same weights and see the same batches of 64 digits; the look is on the
    batch that would come next, in training mode. Lengths are in units of the learning rate. With a
    kernel PyTorch computes (``measure_landscape``, ``measure_plane_slice``); on the website the
    page does, in float32 as well.

    Args:
        norms: one or more of ``NORMS``.
        lr: learning rate, one of ``LRS``.
        depth: hidden layers, one of ``DEPTHS``.
        step: where the training ends, one of ``STEPS``.
        length: of the step along the gradient that is read out, one of ``MULTIPLES``.
        seed: initial weights and batches, one of ``SEEDS``; by default the first.
        predict: hide the outcome until a guess is made.
        device: ``auto``, or a name that torch knows.

    Raises:
        ValueError: for a value that the widget does not offer, with those that it does.
    """

    _esm = bundle(FOLDER / "landscape.js")
    _css = stylesheet(FOLDER / "landscape.css")

    def __init__(
        self,
        norms: Iterable[str] = ("none", "batch"),
        lr: float = 0.1,
        depth: int = 6,
        step: int = 50,
        length: float = 2.0,
        seed: int = SEEDS[0],
        predict: bool = False,
        device: str = "auto",
    ) -> None:
        state = {
            "norms": names_of(norms),
            "lr": lr,
            "depth": depth,
            "step": step,
            "length": length,
            "seed": seed,
            "predict": predict,
        }
        device = str(make_device(device))
        super().__init__(_options(device), state, device)

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does."""
        state = check_keys(state, ("norms", *NUMBERS, "predict"))
        checked = {"norms": check_norms(state["norms"], options["norms"], FEWEST)}
        checked |= {key: one_of(key, state[key], options[f"{key}s"]) for key in NUMBERS}
        return checked | {"predict": check_flag("predict", state["predict"])}

    def begin(self, state: dict[str, object]) -> Iterator[Content]:
        """What each net sees, in turn: they reach each stop of the way together."""
        setting = {key: state[key] for key in ("lr", "depth", "seed")}
        walks = {
            norm: walk(landscape_run(norm, **setting), state["step"], self._device)
            for norm in state["norms"]
        }
        while walks:
            for norm in list(walks):
                content = next(walks[norm], None)
                if content is None:
                    del walks[norm]
                else:
                    yield norm, content

    def warm_up(self) -> Iterable[Content]:
        """Load data and torch's kernels (seconds) before the reader presses Train."""
        return ((norm, None) for norm in NORMS[:2] for _ in walk(landscape_run(norm), 0))


def first() -> First:
    """What the page shows where it cannot train: the last look of each net, by PyTorch."""

    def last(state: dict[str, object]) -> Iterator[Content]:
        for norm in state["norms"]:
            setting = {key: state[key] for key in ("lr", "depth", "seed")}
            *_, found = walk(landscape_run(norm, **setting), state["step"])
            yield norm, found

    return first_of(Landscape, ("norms", "lr", "depth", "step", "seed"), last, norms=NORMS)


def landscape_run(norm: str, **setting: object) -> Run:
    """The Run of one net, of as many steps as are asked for."""
    return Run(net=NET, width=WIDTH, batch_size=BATCH_SIZE, norm=norm, **setting)


def _options(device: str) -> dict[str, object]:
    """What the widget offers."""
    return {
        "name": "landscape",
        "badge": "in this page, same bits as the compiled step",
        "norms": list(NORMS),
        "lrs": list(LRS),
        "depths": list(DEPTHS),
        "steps": list(STEPS),
        "lengths": list(MULTIPLES),
        "seeds": list(SEEDS),
        "plane": list(PLANE),
        "band": list(BAND),
        "look_every": LOOK_EVERY,
        "net": NET,
        "width": WIDTH,
        "device": device,
        "compiled": "nets",
        "job": "landscape",
        "first": True,
    }
