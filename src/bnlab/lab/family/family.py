"""Family: which numbers of a block (N, C, H, W) share one mean, for every normalizer."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from bnlab.data import digits
from bnlab.errors import unknown
from bnlab.lab.kit.bundle import bundle, stylesheet
from bnlab.lab.kit.widget import Widget, check_keys, one_of
from bnlab.nets import make_net
from bnlab.norms import NORMS as REGISTRY
from bnlab.norms import make_norm, options_of

FOLDER = Path(__file__).parent
GROUPS = {
    "mean and variance of the batch": ("batch", "ghost_batch", "batch_renorm", "noisy_batch"),
    "other batch statistics": ("variance", "l1_batch", "l2_batch", "linf_batch", "evonorm_b0"),
    "each sample alone": ("layer", "group", "instance", "rms", "filter_response", "evonorm_s0"),
    "nothing": ("none",),
}
"""The menu: what is pooled in training, and by which normalizers."""

NORMS = tuple(norm for norms in GROUPS.values() for norm in norms)
MODES = ("train", "eval")
BATCH_SIZES = (1, 2, 4, 8)
CHANNELS = (2, 3, 4, 6)
HEIGHT = WIDTH = 2
POOL = 24
"""Samples that the widget can draw from, at least twice the largest batch."""

SEED = 102  # initial weights whose channels differ in mean and in variance
POSITIONS = (2, 5)  # rows and columns of the 8 x 8 map that are shown: four spread positions
PIXELS = "0123456789abcdefg"  # one sign a pixel, 0 to 16


class Family(Widget):
    """A block of real activations; a chosen number lights up all that share its statistic.

    The numbers are the first convolution's outputs at four positions, before any normalizer, for
    training images of the digits, in the plain net at its start; they are rounded to one decimal,
    and everything is computed from the rounded numbers, so that it can be checked by hand. All
    computation is in JavaScript; no kernel is needed.

    Each normalizer is an untrained one of ``make_norm`` with its own defaults: weight 1, bias 0,
    v = 1, tau = 0. The noise of ``noisy_batch`` is that of its first step, with ``noise_seed=0``.

    The running statistics of evaluation mode, rounded to two decimals, are those that a normalizer
    finds in all training images as one batch: what a running average of many batches is near. It
    would hold less for ``linf_batch`` alone, whose largest value grows with the batch.

    Args:
        norm: one of ``NORMS``.
        mode: ``train`` or ``eval``.
        batch_size: samples, one of ``BATCH_SIZES``.
        channels: one of ``CHANNELS``.
        group_size: channels a group, a divisor of ``channels``; None: half of them, or all if
            they are odd.
        ghost_size: samples a ghost batch, one of ``BATCH_SIZES``, at most ``batch_size``; None:
            half of the batch.
        cell: the chosen number: sample, channel, row and column, counted from 0.
        samples: which of the ``POOL`` samples lie in the block: eight different ones, of which the
            first ``batch_size`` are shown.

    Raises:
        ValueError: for a value that the widget does not offer, with those that it does.
    """

    _esm = bundle(FOLDER / "family.js")
    _css = stylesheet(FOLDER / "family.css")

    def __init__(
        self,
        norm: str = "batch",
        mode: str = "train",
        batch_size: int = 4,
        channels: int = 6,
        group_size: int | None = None,
        ghost_size: int | None = None,
        cell: Sequence[int] = (0, 1, 0, 1),
        samples: Sequence[int] = tuple(range(max(BATCH_SIZES))),
    ) -> None:
        options = _options(one_of("channels", channels, CHANNELS))
        one_of("batch_size", batch_size, BATCH_SIZES)
        super().__init__(options=options)
        self.state = {
            "norm": norm,
            "mode": mode,
            "batch_size": batch_size,
            "group_size": _half(channels) if group_size is None else group_size,
            "ghost_size": _half(batch_size) if ghost_size is None else ghost_size,
            "cell": _listed("cell", cell),
            "samples": _listed("samples", samples),
        }

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does."""
        return check_state(state, options)


@functools.lru_cache(maxsize=1)
def activations() -> torch.Tensor:
    """The numbers of all training images, in one decimal: float64, (1197, 6, 2, 2)."""
    net = make_net("plain", (1, 8, 8), 10, depth=2, width=max(CHANNELS), seed=SEED)
    with torch.no_grad():
        maps = net.body[0](torch.from_numpy(digits().train_x.copy())).double()
    at = list(POSITIONS)
    return maps[:, :, at][..., at].mul(10).round().div(10)


def _options(channels: int) -> dict[str, object]:
    """What the widget offers, and its numbers."""
    x = activations()[:, :channels]
    return {
        "name": "family",
        "norms": list(NORMS),
        "groups": [{"label": label, "norms": list(norms)} for label, norms in GROUPS.items()],
        "modes": list(MODES),
        "batch_sizes": list(BATCH_SIZES),
        "group_sizes": [size for size in range(1, channels + 1) if channels % size == 0],
        "ghost_sizes": list(BATCH_SIZES),
        "shape": [channels, HEIGHT, WIDTH],
        "eps": {norm: _normalizer(norm, x).eps for norm in NORMS if norm != "none"},
        "pool": [
            {"digit": int(label), "pixels": _pixels(image), "values": _rounded(values, 1)}
            for label, image, values in zip(
                digits().train_y[:POOL], digits().train_x[:POOL], x[:POOL], strict=True
            )
        ],
        "images": len(x),
        "stored": {norm: _stored(norm, x) for norm in NORMS if REGISTRY[norm].uses_batch},
    }


def _normalizer(norm: str, x: torch.Tensor) -> torch.nn.Module:
    """The normalizer for all of ``x`` at once, in double precision."""
    sizes = {"ghost_size": len(x), "group_size": x.shape[1]}
    options = {key: sizes[key] for key in options_of(norm) if key in sizes}
    return make_norm(norm, x.shape[1], **options).double()


def _stored(norm: str, x: torch.Tensor) -> dict[str, list[float]]:
    """The running statistics that ``x`` as one batch leaves with momentum 1: mean, var, norm."""
    module = _normalizer(norm, x)
    module.momentum = 1.0
    with torch.no_grad():
        module(x)
    return {
        name.removeprefix("running_"): _rounded(getattr(module, name), 2) for name in module.starts
    }


def _rounded(values: torch.Tensor, decimals: int) -> list[float]:
    # "+ 0.0" makes -0.0 a zero, which JSON and readers expect.
    return [round(value, decimals) + 0.0 for value in values.flatten().tolist()]


def _pixels(image: np.ndarray) -> str:
    """The 64 pixels of an image of ``digits``, row by row, one sign each."""
    return "".join(PIXELS[int(value)] for value in np.rint(image.ravel() * 6 + 5))


def _half(count: int) -> int:
    return count // 2 if count % 2 == 0 else count


def _listed(key: str, value: object) -> list:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ValueError(f"{key} must be a list of integers, got {value!r}.")
    return list(value)


def check_state(state: object, options: dict) -> dict[str, object]:
    """A copy of a state in which every value is one that the widget offers.

    Raises:
        ValueError: for anything else; the message lists what is offered.
    """
    keys = ("norm", "mode", "batch_size", "group_size", "ghost_size", "cell", "samples")
    state = check_keys(state, keys)
    if state["norm"] not in options["norms"]:
        raise ValueError(unknown("normalizer", state["norm"], options["norms"]))
    checked = {"norm": state["norm"]}
    for key in keys[1:5]:
        checked[key] = one_of(key, state[key], options[f"{key}s"])
    if checked["ghost_size"] > checked["batch_size"]:
        raise ValueError(
            f"ghost_size must be at most batch_size={checked['batch_size']}, "
            f"got {checked['ghost_size']}."
        )
    shape = [checked["batch_size"], *options["shape"]]
    checked["cell"] = _check_cell(state["cell"], shape)
    checked["samples"] = _check_samples(state["samples"], options)
    return checked


def _check_cell(cell: object, shape: list[int]) -> list[int]:
    inside = _are_integers(cell) and len(cell) == len(shape)
    if not inside or not all(0 <= at < size for at, size in zip(cell, shape, strict=True)):
        raise ValueError(
            "cell must be a list of sample, channel, row and column, counted from 0, in a block "
            f"of shape {tuple(shape)}, got {cell!r}."
        )
    return list(cell)


def _check_samples(samples: object, options: dict) -> list[int]:
    count, pool = max(options["batch_sizes"]), len(options["pool"])
    if (
        not _are_integers(samples)
        or len(samples) != count
        or len(set(samples)) < count
        or not all(0 <= sample < pool for sample in samples)
    ):
        raise ValueError(
            f"samples must be a list of {count} different integers from 0 to {pool - 1}, "
            f"got {samples!r}."
        )
    return list(samples)


def _are_integers(values: object) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int) and not isinstance(value, bool) for value in values
    )
