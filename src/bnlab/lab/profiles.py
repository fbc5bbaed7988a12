"""Profiles: what flows through untrained nets, layer by layer, with different normalizers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import anywidget
import traitlets

from bnlab.errors import unknown
from bnlab.lab.bundle import bundle, stylesheet
from bnlab.lab.profile import IMAGES, NETS, SEEDS, Setting, of_seed, spread
from bnlab.lab.profile_grid import DEPTHS, GROUP_SIZES, NORMS, WIDTHS
from bnlab.lab.racer import Racer


class Profiles(anywidget.AnyWidget):
    """Variance, cosine similarity and gradient norm by depth, at the start, a curve a normalizer.

    Each curve is the median over eight seeds of the first weights, its band their whole range. The
    nets are those of ``make_net`` in training mode, on the first 64 training images of the digits;
    the loss is the cross-entropy. The layers are the blocks of the residual net; in the plain net
    convolution, normalizer and ReLU together. See ``bnlab.measure.measure_signals``.

    With a kernel, PyTorch computes when a control is moved, seed by seed. On the website, stored
    results of the same code are looked up (``bnlab.lab.profile_grid``: relative error below 0.1 %).

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

    _esm = bundle("profiles")
    _css = stylesheet()
    options = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    _racer: Racer | None = None  # ipywidgets closes a widget whose __init__ has failed, too

    def __init__(
        self,
        net: str = "residual",
        norms: Iterable[str] = ("none", "batch"),
        depth: int = 18,
        width: int = 16,
        group_size: int = 8,
        predict: bool = False,
    ) -> None:
        super().__init__(options=_options())
        self.state = {
            "net": net,
            "norms": [norms] if isinstance(norms, str) else list(norms),
            "depth": depth,
            "width": width,
            "group_size": group_size,
            "predict": predict,
        }
        self._racer = Racer(self.send, turns=iter)
        self.on_msg(self._hear)
        self._racer.train(None, _warm_up, "cpu")

    @traitlets.validate("state")
    def _valid_state(self, proposal: dict) -> dict[str, object]:
        # Empty is the trait's default, before __init__ has set it.
        return check_state(proposal["value"], self.options) if proposal["value"] else {}

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is computed; False if ``timeout`` seconds were not enough."""
        return self._racer.wait(timeout)

    def close(self) -> None:
        """End the computation and take the widget off the page."""
        if self._racer is not None:
            self._racer.drop()
        super().close()

    def _hear(self, _widget: Profiles, message: dict, _buffers: list) -> None:
        """A message of the front end. What is wrong with it goes back as text."""
        kind, number = message.get("type"), message.get("id")
        if kind == "stop":
            self._racer.stop(number)
        elif kind == "train":  # the word of all widgets for: begin
            try:
                state = check_state(message.get("state"), self.options)
            except ValueError as error:
                self._racer.drop()
                self.send({"type": "error", "id": number, "text": str(error)})
                return
            self._racer.train(number, _measuring(state), "cpu")


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


def _measuring(state: dict) -> Callable[[], Iterator[tuple[str, dict]]]:
    """Computes when called: what is known after each seed, of all normalizers in turn."""

    def begin() -> Iterator[tuple[str, dict]]:
        nets, found = settings(state), {norm: [] for norm in state["norms"]}
        for seed in SEEDS:
            for norm, setting in nets.items():
                found[norm].append(of_seed(setting, seed))
                yield norm, {**spread(found[norm]), "seeds": len(found[norm])}

    return begin


def _warm_up() -> list:
    """Load the data and torch's kernels (seconds) before the reader moves a control."""
    of_seed(Setting("plain", "batch", 1, 16), SEEDS[0])
    return []


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
    keys = ("net", "norms", "depth", "width", "group_size", "predict")
    if not isinstance(state, dict) or set(state) != set(keys):
        raise ValueError(f"a state must have exactly the keys {', '.join(keys)}, got {state!r}.")
    if state["net"] not in options["nets"]:
        raise ValueError(unknown("net", state["net"], options["nets"]))
    checked = {"net": state["net"], "norms": _check_norms(state["norms"], options["norms"])}
    for key in keys[2:5]:
        checked[key] = _one_of(key, state[key], options[f"{key}s"])
    if not isinstance(state["predict"], bool):
        raise ValueError(f"predict must be True or False, got {state['predict']!r}.")
    return {**checked, "predict": state["predict"]}


def _one_of(key: str, value: object, offered: Sequence[int]) -> int:
    if isinstance(value, bool) or value not in offered:
        raise ValueError(f"{key} must be one of {', '.join(map(str, offered))}, got {value!r}.")
    return offered[offered.index(value)]


def _check_norms(norms: object, offered: list[str]) -> list[str]:
    if not isinstance(norms, list):
        raise ValueError(f"norms must be a list of names, got {norms!r}.")
    for norm in norms:
        if norm not in offered:
            raise ValueError(unknown("normalizer", norm, offered))
    if not norms or len(set(norms)) < len(norms):
        raise ValueError(f"norms must be one or more different ones of {', '.join(offered)}.")
    return [name for name in offered if name in norms]
