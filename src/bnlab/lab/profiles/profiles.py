"""Profiles: what flows through untrained nets, layer by layer, with different normalizers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bnlab.errors import check_name
from bnlab.lab.kit.bundle import bundle, stylesheet
from bnlab.lab.kit.images import IMAGES
from bnlab.lab.kit.widget import (
    ComputingWidget,
    Content,
    check_flag,
    check_keys,
    check_norms,
    names_of,
    one_of,
)
from bnlab.lab.profiles.profile import NETS, SEEDS, Setting, of_seed, spread
from bnlab.lab.profiles.profile_grid import DEPTHS, GROUP_SIZES, NORMS, WIDTHS

FOLDER = Path(__file__).parent


class Profiles(ComputingWidget):
    """Variance, cosine similarity and gradient norm by depth, at the start, a curve a normalizer.

    Each curve is the median over eight seeds of the first weights, its band their whole range. The
    nets are those of ``make_net`` in training mode, on the first 64 training images of the digits;
    the loss is the cross-entropy. The layers are the blocks of the residual net; in the plain net
    convolution, normalizer and ReLU together. See ``bnlab.measure.measure_signals``.

    With a kernel, PyTorch computes when a control is moved, seed by seed. On the website, stored
    results of the same code are looked up; their relative error is below 0.1 %, see
    ``bnlab.lab.profiles.profile_grid``.

    Args:
        net: ``residual`` or ``plain``.
        norms: one or more of ``NORMS``.
        depth: residual blocks or convolutions, one of ``DEPTHS``.
        width: channels of the first half of the layers, one of ``WIDTHS``.
        group_size: channels a group of group norm, one of ``GROUP_SIZES``.
        predict: hide the curves until a guess is made.

    Raises:
        ValueError: for a value that the widget does not offer, with those that it does.
    """

    _esm = bundle(FOLDER / "profiles.js")
    _css = stylesheet(FOLDER / "profiles.css")

    def __init__(
        self,
        net: str = "residual",
        norms: Iterable[str] = ("none", "batch"),
        depth: int = 18,
        width: int = 16,
        group_size: int = 8,
        predict: bool = False,
    ) -> None:
        state = {
            "net": net,
            "norms": names_of(norms),
            "depth": depth,
            "width": width,
            "group_size": group_size,
            "predict": predict,
        }
        super().__init__(_options(), state)

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does."""
        return check_state(state, options)

    def begin(self, state: dict[str, object]) -> Iterator[Content]:
        """What is known after each seed, of all normalizers in turn."""
        nets, found = settings(state), {norm: [] for norm in state["norms"]}
        for seed in SEEDS:
            for norm, setting in nets.items():
                found[norm].append(of_seed(setting, seed))
                yield norm, {**spread(found[norm]), "seeds": len(found[norm])}

    def warm_up(self) -> Iterable[Content]:
        """Load the data and torch's kernels (seconds) before the reader moves a control."""
        of_seed(Setting("plain", "batch", 1, 16), SEEDS[0])
        return ()


def settings(state: dict) -> dict[str, Setting]:
    """The nets that a state asks for, by normalizer."""
    return {
        norm: Setting(
            state["net"],
            norm,
            state["depth"],
            state["width"],
            state["group_size"] if norm == "group" else None,
        )
        for norm in state["norms"]
    }


def _options() -> dict[str, object]:
    """What the widget offers."""
    return {
        "nets": list(NETS),
        "norms": list(NORMS),
        "depths": list(DEPTHS),
        "widths": list(WIDTHS),
        "group_sizes": list(GROUP_SIZES),
        "seeds": len(SEEDS),
        "images": IMAGES,
        "device": "cpu",
        "replay": "profiles",
    }


def check_state(state: object, options: dict) -> dict[str, object]:
    """A copy of a state in which every value is one that the widget offers.

    Raises:
        ValueError: for anything else; the message lists what is offered.
    """
    numbers = ("depth", "width", "group_size")
    state = check_keys(state, ("net", "norms", *numbers, "predict"))
    check_name("net", state["net"], options["nets"])
    checked = {"net": state["net"]}
    checked["norms"] = check_norms(state["norms"], options["norms"])
    checked |= {key: one_of(key, state[key], options[f"{key}s"]) for key in numbers}
    return checked | {"predict": check_flag("predict", state["predict"])}
