"""Race: nets that differ in their normalizer alone, trained side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import anywidget
import traitlets

from bnlab.claims import learning_rate_sweep, noisy_race
from bnlab.errors import check_name, unknown
from bnlab.lab.bundle import bundle, stylesheet
from bnlab.lab.points import BLOCK, GROUP_SIZE, NORMS, race_run
from bnlab.lab.racer import Racer
from bnlab.train import make_device, training

LRS = (0.003, 0.0056, 0.01, 0.018, 0.03, 0.056, 0.1, 0.18, 0.3, 0.56, 1.0, 1.8, 3.0, 5.6, 10.0)
BATCH_SIZES = (2, 4, 8, 16, 32, 64, 128, 256)
DEPTHS = tuple(range(1, 13))
OFFERED = ("none", "batch", "layer", "group", "instance")
SEEDS = {"B1": learning_rate_sweep.SEEDS, "S2": noisy_race.SEEDS}  # of a claim's evidence
NETS = ("mlp", "plain")
FEWEST, MOST = 2, 5
PAGE_NET, PAGE_WIDTH = "mlp", 64  # nets that the website trains in the page, see bnlab.lab.page

NEEDS_IMAGES = "needs images inside the net: in this one a channel has a single value"


class Race(anywidget.AnyWidget):
    """Curves of nets in training, one per normalizer; the controls are drawn by JavaScript.

    With a kernel, PyTorch trains in a thread and the curves grow as it does; a newer training
    ends the one before. On the website the nets train in the page (``bnlab.lab.page``), if they are
    MLPs of width 64; else, and where a browser cannot train, stored runs are looked up.

    Args:
        norms: which race at first, two to five of ``offer``.
        offer: normalizers to choose from, two or more of ``none, batch, noisy_batch, layer, group,
            instance``; group norm has 8 channels a group, instance norm needs ``net='plain'``.
        lr: learning rate, a stop of the slider (``LRS``).
        batch_size: images a step, one of ``BATCH_SIZES``.
        depth: hidden layers or convolutions, one of ``DEPTHS``.
        seed: initial weights and batches, one of ``SEEDS`` of the claim; by default the first.
        net: ``mlp`` or ``plain`` (convolutions).
        width: units a layer, or channels of the first convolutions.
        steps: updates of the weights.
        predict: hide the outcome until a guess is made.
        device: ``auto``, or a name that torch knows.
        claim: whose evidence has the seeds, ``B1`` or ``S2``; it counts some of these very runs.

    Raises:
        ValueError: for a value that the widget does not offer, with those that it does.
    """

    _esm = bundle("race")
    _css = stylesheet()
    options = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    _racer: Racer | None = None  # ipywidgets closes a widget whose __init__ has failed, too

    def __init__(
        self,
        norms: Iterable[str] = ("none", "batch"),
        lr: float = 0.3,
        batch_size: int = 64,
        depth: int = 6,
        seed: int | None = None,
        net: str = "mlp",
        width: int = 64,
        steps: int = 300,
        predict: bool = False,
        device: str = "auto",
        offer: Iterable[str] = OFFERED,
        claim: str = "B1",
    ) -> None:
        _check_net(net, width, steps)
        check_name("claim", claim, SEEDS)
        offered = _check_offer(offer)
        self._device = str(make_device(device))
        self._racer = Racer(self.send)
        super().__init__(options=_options(net, width, steps, self._device, offered, claim))
        self.state = {
            "norms": [norms] if isinstance(norms, str) else list(norms),
            "lr": lr,
            "batch_size": batch_size,
            "depth": depth,
            "seed": SEEDS[claim][0] if seed is None else seed,
            "predict": predict,
        }
        self.on_msg(self._hear)
        self._racer.train(None, self._warm_up, self._device)

    @traitlets.validate("state")
    def _valid_state(self, proposal: dict) -> dict[str, object]:
        # Empty is the trait's default, before __init__ has set it.
        return check_state(proposal["value"], self.options) if proposal["value"] else {}

    def _warm_up(self) -> dict[str, Iterator]:
        """Load data and torch's optimizers (seconds) before the reader presses Train."""
        setting = {key: self.options[key] for key in ("net", "width")}
        run = race_run("batch", steps=1, depth=DEPTHS[0], **setting)
        return {"batch": training(run, device=self._device)}

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing trains; False if ``timeout`` seconds were not enough."""
        return self._racer.wait(timeout)

    def close(self) -> None:
        """Stop the training and take the widget off the page."""
        if self._racer is not None:
            self._racer.drop()
        super().close()

    def _hear(self, _widget: Race, message: dict, _buffers: list) -> None:
        """A message of the front end: train or stop. What is wrong with it goes back as text."""
        kind, number = message.get("type"), message.get("id")
        if kind == "stop":
            self._racer.stop(number)
        elif kind == "train":
            try:
                state = check_state(message.get("state"), self.options)
            except ValueError as error:
                self._racer.drop()
                self.send({"type": "error", "id": number, "text": str(error)})
                return
            self._racer.train(number, self._trainings(state), self._device)

    def _trainings(self, state: dict[str, object]) -> Callable[[], dict[str, Iterator]]:
        """Builds the nets when called: that is the thread's work, not the kernel's."""
        setting = {key: state[key] for key in ("lr", "batch_size", "depth", "seed")}
        setting |= {key: self.options[key] for key in ("net", "width", "steps")}

        def begin() -> dict[str, Iterator]:
            runs = {norm: race_run(norm, **setting) for norm in state["norms"]}
            return {norm: training(run, device=self._device) for norm, run in runs.items()}

        return begin


def _options(
    net: str, width: int, steps: int, device: str, offered: list[str], claim: str
) -> dict[str, object]:
    """What the widget offers."""
    reasons = {"instance": NEEDS_IMAGES} if net == "mlp" else {}
    return {
        "norms": [
            {"name": name, "enabled": name not in reasons, "reason": reasons.get(name, "")}
            for name in offered
        ],
        "lrs": list(LRS),
        "batch_sizes": list(BATCH_SIZES),
        "depths": list(DEPTHS),
        "seeds": list(SEEDS[claim]),
        "steps": steps,
        "net": net,
        "width": width,
        "device": device,
        "replay": "race",
        "compiled": "nets" if (net, width) == (PAGE_NET, PAGE_WIDTH) else None,
        "counted": _counted(net, width, steps, claim),
    }


def _counted(net: str, width: int, steps: int, claim: str) -> dict[str, object] | None:
    """Settings of the runs that the evidence for a claim counts, if this race trains such nets."""
    base, norms, lrs, depths = {
        "B1": (
            learning_rate_sweep.BASES["digits"],
            learning_rate_sweep.NORMS,
            learning_rate_sweep.LRS,
            learning_rate_sweep.DEPTHS["digits"],
        ),
        "S2": (noisy_race.BASE, noisy_race.NORMS, noisy_race.LRS, noisy_race.DEPTHS),
    }[claim]
    if (net, width, steps) != (base.net, base.width, base.steps):
        return None
    return {
        "claim": claim,
        "norms": list(norms),
        "lr": list(lrs),
        "batch_size": [base.batch_size],
        "depth": list(depths),
        "seed": list(SEEDS[claim]),
    }


def _check_offer(offer: Iterable[str]) -> list[str]:
    chosen = [offer] if isinstance(offer, str) else list(offer)
    for norm in chosen:
        check_name("normalizer", norm, NORMS)
    if len(set(chosen)) < FEWEST:
        raise ValueError(f"offer must be {FEWEST} or more different ones of {', '.join(NORMS)}.")
    return [name for name in NORMS if name in chosen]


def _check_net(net: str, width: int, steps: int) -> None:
    if net not in NETS:
        raise ValueError(unknown("net", net, NETS))
    if not _is_int(width) or width < GROUP_SIZE or width % GROUP_SIZE:
        raise ValueError(
            f"width must be a multiple of {GROUP_SIZE} (group norm has {GROUP_SIZE} channels a "
            f"group), got {width!r}."
        )
    if not _is_int(steps) or steps < BLOCK or steps % BLOCK:
        raise ValueError(
            f"steps must be a multiple of {BLOCK} (so many make one point), got {steps!r}."
        )


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def check_state(state: object, options: dict) -> dict[str, object]:
    """A copy of a state in which every value is one that the widget offers.

    Raises:
        ValueError: for anything else; the message lists what is offered.
    """
    keys = ("norms", "lr", "batch_size", "depth", "seed", "predict")
    if not isinstance(state, dict) or set(state) != set(keys):
        raise ValueError(f"a state must have exactly the keys {', '.join(keys)}, got {state!r}.")
    checked = {"norms": _check_norms(state["norms"], options["norms"])}
    for key in keys[1:5]:
        checked[key] = _one_of(key, state[key], options[f"{key}s"])
    if not isinstance(state["predict"], bool):
        raise ValueError(f"predict must be True or False, got {state['predict']!r}.")
    return {**checked, "predict": state["predict"]}


def _one_of(key: str, value: object, offered: list) -> object:
    if isinstance(value, bool) or value not in offered:
        listed = ", ".join(f"{one:g}" for one in offered)
        raise ValueError(f"{key} must be one of {listed}, got {value!r}.")
    return offered[offered.index(value)]


def _check_norms(norms: list[str], offered: list[dict]) -> list[str]:
    if not isinstance(norms, list):
        raise ValueError(f"norms must be a list of names, got {norms!r}.")
    reasons = {norm["name"]: norm["reason"] for norm in offered}
    for norm in norms:
        if norm not in reasons:
            raise ValueError(unknown("normalizer", norm, reasons))
        if reasons[norm]:
            raise ValueError(f"normalizer {norm!r} cannot race here: it {reasons[norm]}.")
    if not FEWEST <= len(norms) <= MOST or len(set(norms)) < len(norms):
        allowed = ", ".join(reasons)
        raise ValueError(f"norms must be {FEWEST} to {MOST} different ones of {allowed}.")
    return [name for name in reasons if name in norms]
