"""Bits: the signs of small binary nets as they flip in training, with what replaces BatchNorm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bnlab.chapters.binary_nets.looks import LOOKS as CHAPTER
from bnlab.draw.style import STYLE
from bnlab.engines.compiled.catalogue import BINARY_DEPTHS, BINARY_NETS, BINARY_WIDTH
from bnlab.engines.compiled.watch import LOOKED_AT
from bnlab.lab.bits.signs import EVERY, LOOKED_BATCH, binary_trainings, probe
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
from bnlab.nets.stages import stages
from bnlab.train import Run

FOLDER = Path(__file__).parent
NETS = tuple(BINARY_NETS)
BLOCK_NET = "bn_free"
"""The net that needs its shortcuts."""

LRS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
SEEDS = tuple(range(1204, 1212))
BATCH_SIZE, STEPS, SIDE = 32, 300, 8
CLIP, MOMENTUM = 0.02, 0.9
CHOICES = {
    "depth": BINARY_DEPTHS,
    "shortcuts": ("on", "off"),
    "start": ("centred", "positive"),
    "clip": (0.0, CLIP),
    "optimizer": ("adam", "sgd"),
    "lr": LRS,
    "seed": SEEDS,
}
"""What a training depends on, beside the nets."""

LAYERS = ("first", "middle", "last")
"""Whose signs are drawn."""

LOOKS = {
    "batch": {**STYLE[CHAPTER["batch"]], "short": "batch", "label": "BatchNorm"},
    "signs": {**STYLE[CHAPTER["signs"]], "short": "signs alone", "label": "signs alone"},
    "none": {**STYLE[CHAPTER["scaled"]], "short": "scale", "label": "a scale for each filter"},
    "standardized": {
        **STYLE[CHAPTER["standardized"]],
        "short": "scaled WS",
        "label": "scaled weight standardization",
    },
    "bn_free": {**STYLE[CHAPTER["three"]], "short": "BN-free", "label": "the BN-free block"},
}
"""Names, and the looks of the chapter's figures."""


class Bits(ComputingWidget):
    """The signs of a layer's inputs and of its weights as they flip while binary nets train.

    The nets are small residual ones of width 8 for the digits, with BatchNorm, with nothing, and
    with what BNN - BN puts in its place. With a kernel PyTorch trains; on the website the page
    does.

    Args:
        norms: which nets, of ``NETS``: ``batch`` (BatchNorm), ``signs`` (nothing, and filters of
            plus and minus one), ``none`` (nothing; here and in what follows a filter is its
            signs times the mean size of its weights), ``standardized`` (scaled weight
            standardization) and ``bn_free`` (the block of BNN - BN, with standardized filters).
        depth: binary blocks, 4 or 8.
        shortcuts: ``on`` or ``off``; the BN-free block needs them.
        start: first weights of binary layers, ``centred`` or ``positive``.
        clip: adaptive gradient clipping, 0 (off) or 0.02.
        optimizer: ``adam`` or ``sgd`` (with momentum 0.9).
        lr: learning rate, one of ``LRS``.
        seed: initial weights and batches, one of ``SEEDS``.
        net: whose signs are drawn.
        layer: which of its layers, ``first``, ``middle`` or ``last``.
        predict: hide the outcome until a guess is made.

    Raises:
        ValueError: for a value that the widget does not offer, with those that it does.
    """

    _esm = bundle(FOLDER / "bits.js")
    _css = stylesheet(FOLDER / "bits.css")

    def __init__(
        self,
        norms: Iterable[str] = ("batch", "signs", "none", "bn_free"),
        depth: int = 8,
        shortcuts: str = "on",
        start: str = "centred",
        clip: float = 0.0,
        optimizer: str = "adam",
        lr: float = 0.005,
        seed: int = SEEDS[0],
        net: str = "signs",
        layer: str = "first",
        predict: bool = False,
    ) -> None:
        options = {
            "name": "bits",
            "job": "bits",
            "compiled": "binary",
            "first": True,
            "net": "binary",
            "width": BINARY_WIDTH,
            "steps": STEPS,
            "batch_size": BATCH_SIZE,
            "every": EVERY,
            "block": BLOCK_NET,
            "norms": list(NETS),
            "layers": list(LAYERS),
            "choices": {key: list(values) for key, values in CHOICES.items()},
            "looks": LOOKS,
            "shapes": {str(depth): shapes(depth) for depth in BINARY_DEPTHS},
            "digits": probe()[0][:LOOKED_AT].reshape(LOOKED_AT, -1).tolist(),
            "labels": probe()[1][:LOOKED_AT].tolist(),
            "probe": LOOKED_BATCH,
        }
        state = {
            "norms": names_of(norms),
            **{"depth": depth, "shortcuts": shortcuts, "start": start, "clip": clip},
            **{"optimizer": optimizer, "lr": lr, "seed": seed},
            **{"net": net, "layer": layer, "predict": predict},
        }
        super().__init__(options, state)

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does."""
        state = check_keys(state, ["norms", *CHOICES, "net", "layer", "predict"])
        checked: dict[str, object] = {"norms": check_norms(state["norms"], options["norms"])}
        checked |= {key: one_of(key, state[key], options["choices"][key]) for key in CHOICES}
        if BLOCK_NET in checked["norms"] and checked["shortcuts"] == "off":
            raise ValueError("the BN-free block needs its shortcuts: leave bn_free out of norms.")
        checked |= {"net": one_of("net", state["net"], options["norms"])}
        checked |= {"layer": one_of("layer", state["layer"], options["layers"])}
        return checked | {"predict": check_flag("predict", state["predict"])}

    def warm_up(self) -> Iterator[Content]:
        """Load data and torch's optimizers (seconds) before the reader presses Train."""
        return trainings({**self.state, "depth": BINARY_DEPTHS[0]}, steps=1)

    def begin(self, state: dict[str, object]) -> Iterator[Content]:
        """The nets of a state, in turn."""
        return trainings(state)


def shapes(depth: int) -> list[dict[str, int]]:
    """Of each layer the channels and the side of the images whose signs it takes, and filters."""
    found, channels, side = [], BINARY_WIDTH, SIDE
    for width, stride in stages(SIDE, depth, BINARY_WIDTH):
        found.append({"channels": channels, "side": side, "filters": width})
        channels, side = width, side // stride
    return found


def bits_run(name: str, state: dict[str, object], steps: int = STEPS) -> Run:
    """The Run of one net of a state, one of ``NETS``."""
    norm, options = BINARY_NETS[name]
    bare = {"shortcuts": False} if state["shortcuts"] == "off" else {}
    positive = {"first_weights": "positive"} if state["start"] == "positive" else {}
    is_adam = state["optimizer"] == "adam"
    return Run(
        net="binary",
        norm=norm,
        net_options={**options, **bare, **positive},
        optimizer=state["optimizer"],
        optimizer_options={} if is_adam else {"momentum": MOMENTUM},
        clip=state["clip"] or None,
        width=BINARY_WIDTH,
        batch_size=BATCH_SIZE,
        steps=steps,
        eval_every=EVERY,  # where any engine stands still, so that signs can be looked at
        **{key: state[key] for key in ("depth", "lr", "seed")},
    )


def trainings(
    state: dict[str, object], engine: str = "torch", steps: int = STEPS
) -> Iterator[Content]:
    """The nets of a state, see ``binary_trainings``."""
    return binary_trainings({n: bits_run(n, state, steps) for n in state["norms"]}, engine)


def first() -> First:
    """What the page shows where it cannot train; of the signs the last look alone."""

    def trained(state: dict[str, object]) -> Iterator[Content]:
        for name, content in trainings(state, "compiled"):
            if content is not None:
                yield name, content if content["done"] else {**content, "bits": None}

    shown = {"norms": ("batch", "signs", "none"), "shortcuts": "off", "lr": 0.01}  # in the chapter
    return first_of(Bits, ("norms", *CHOICES), trained, **shown)
