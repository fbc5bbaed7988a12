"""Race: nets that differ in their normalizer alone, trained side by side."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import traitlets

from bnlab.chapters.covariate_shift import s2_noisy_race
from bnlab.chapters.learning_rates import b1_rates
from bnlab.engines.compiled.catalogue import WATCHED
from bnlab.engines.compiled.watch import UNITS
from bnlab.errors import check_name, unknown
from bnlab.lab.kit.bundle import bundle, stylesheet
from bnlab.lab.kit.points import BLOCK, GROUP_SIZE
from bnlab.lab.kit.training_widget import TrainingWidget
from bnlab.lab.kit.widget import Content, check_flag, check_keys, check_norms, names_of, one_of
from bnlab.lab.race.digits import seen, with_looks
from bnlab.lab.race.run import NORMS, race_run
from bnlab.train import Run, make_device, make_trainer

FOLDER = Path(__file__).parent
LRS = (0.003, 0.0056, 0.01, 0.018, 0.03, 0.056, 0.1, 0.18, 0.3, 0.56, 1.0, 1.8, 3.0, 5.6, 10.0)
BATCH_SIZES = (2, 4, 8, 16, 32, 64, 128, 256)
DEPTHS = tuple(range(1, 13))
NOISES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)  # times the noise of the paper
MOMENTA = (0.0, 0.5, 0.9, 0.95, 0.99)
DECAYS = (0.0, 1e-4, 1e-3, 0.01, 0.1)
LENGTHS = (300, 600, 1200, 3000)  # steps; a race may also be shorter
SLOW = 10.0  # seconds of a race in slow motion
OFFERED = ("none", "batch", "layer", "group", "instance")
REPLAYS = {"B1": "race", "S2": "noisy_race"}  # stored runs, by the claim with their seeds
SEEDS = {"B1": b1_rates.SEEDS, "S2": s2_noisy_race.SEEDS}  # of a claim's evidence
NETS = ("mlp", "plain")
LISTS = {
    "lr": "lrs",
    "batch_size": "batch_sizes",
    "depth": "depths",
    "seed": "seeds",
    "noise": "noises",
    "momentum": "momenta",
    "weight_decay": "decays",
    "steps": "lengths",
}  # the numbers of a state, by the names of their stops in the options
FLAGS = ("slow", "predict")
FEWEST, MOST = 2, 5
PAGE_NET, PAGE_WIDTH = "mlp", 64  # nets that the website trains in the page: bnlab.lab.kit.page

NEEDS_IMAGES = "needs images inside the net: in this one a channel has a single value"


class Race(TrainingWidget):
    """Curves of nets in training, one per normalizer; the controls are drawn by JavaScript.

    With a kernel, PyTorch trains in a thread and the curves grow as it does; a newer training
    ends the one before. On the website the nets train in the page (``bnlab.lab.kit.page``), if they
    are MLPs of width 64; else, and where a browser cannot train, stored runs are looked up. In the
    page they can be trained with all seeds of the claim, too; a kernel trains one seed at a time.

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
        steps: updates of the weights; the reader may choose more (``LENGTHS``).
        predict: hide the outcome until a guess is made.
        device: ``auto``, or a name that torch knows.
        claim: whose evidence has the seeds, ``B1`` or ``S2``; it counts some of these very runs.
        noise: strength of the noise of ``noisy_batch`` in units of the paper's, one of ``NOISES``;
            only if that is offered.
        layers: show the outputs of each layer, too; not on the website for normalizers other than
            ``none, batch, noisy_batch``.
        momentum: of SGD, one of ``MOMENTA``.
        weight_decay: of SGD, one of ``DECAYS``.
        slow: stretch a training to ten seconds.
        alive: on the website, train once by itself when it comes into view; not for readers who
            asked their system for less motion.

    Raises:
        ValueError: for a value that the widget does not offer, with those that it does.
    """

    _esm = bundle(FOLDER / "race.js")
    _css = stylesheet(FOLDER / "race.css")

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
        noise: float = 1.0,
        layers: bool = False,
        alive: bool = False,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        slow: bool = False,
    ) -> None:
        _check_net(net, width, steps)
        check_name("claim", claim, SEEDS)
        offered = _check_offer(offer)
        device = str(make_device(device))
        options = _options(net, width, steps, device, offered, claim)
        options |= _layers(options, check_flag("layers", layers))
        options["alive"] = check_flag("alive", alive)
        state = {
            "norms": names_of(norms),
            "lr": lr,
            "batch_size": batch_size,
            "depth": depth,
            "seed": SEEDS[claim][0] if seed is None else seed,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "steps": steps,
            "slow": slow,
            "predict": predict,
        }
        noises = {"noise": one_of("noise", noise, NOISES)} if "noises" in options else {}
        super().__init__(options, {**state, **noises}, device)

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does."""
        return check_state(state, options)

    def warm_up(self) -> Iterator:
        """Load data and torch's optimizers (seconds) before the reader presses Train."""
        setting = {key: self.options[key] for key in ("net", "width")}
        run = race_run("batch", steps=1, depth=DEPTHS[0], **setting)
        return self.train_in_turns({"batch": run})

    def begin(self, state: dict[str, object]) -> Iterator:
        """The nets of a state, step by step in turn."""
        setting = {key: state[key] for key in LISTS if key in state}
        setting |= {key: self.options[key] for key in ("net", "width")}
        runs = {norm: race_run(norm, **setting) for norm in state["norms"]}
        self._slow = state["slow"]
        return self._in_time(self.train_in_turns(runs), len(runs) * state["steps"])

    def _in_time(self, contents: Iterator[Content], count: int) -> Iterator[Content]:
        """The same, and in slow motion as slowly as makes ``SLOW`` seconds of so many."""
        due = 0.0
        for content in contents:
            yield content
            if self._slow:
                now = time.monotonic()
                due = max(due + SLOW / count, now)
                time.sleep(due - now)

    @traitlets.observe("state")
    def _mind_pace(self, change: dict) -> None:
        self._slow = change["new"].get("slow", False)

    def records(self, run: Run) -> Iterator:
        """Train one net; what its layers hand on is told too, if the widget shows it."""
        every = BLOCK if self.options["units"] else None
        return with_looks(make_trainer(run, device=self._device), every)


def _options(
    net: str, width: int, steps: int, device: str, offered: list[str], claim: str
) -> dict[str, object]:
    """What the widget offers."""
    reasons = {"instance": NEEDS_IMAGES} if net == "mlp" else {}
    noises = {"noises": list(NOISES)} if "noisy_batch" in offered else {}
    return {
        "norms": [
            {"name": name, "enabled": name not in reasons, "reason": reasons.get(name, "")}
            for name in offered
        ],
        "lrs": list(LRS),
        "batch_sizes": list(BATCH_SIZES),
        "depths": list(DEPTHS),
        "seeds": list(SEEDS[claim]),
        "momenta": list(MOMENTA),
        "decays": list(DECAYS),
        "lengths": [steps, *(more for more in LENGTHS if more > steps)],
        "net": net,
        "width": width,
        "device": device,
        "name": "race",
        "replay": REPLAYS[claim],
        "seen": seen(),
        "compiled": "nets" if (net, width) == (PAGE_NET, PAGE_WIDTH) else None,
        "counted": _counted(net, width, steps, claim),
        **noises,
    }


def _layers(options: dict[str, object], wanted: bool) -> dict[str, object]:
    """What changes if the layers are shown: other programs in the page, which tell of units."""
    if not wanted:
        return {"units": 0}
    names = {norm["name"] for norm in options["norms"]}
    compiled = "units" if options["compiled"] and names <= set(WATCHED) else None
    return {"units": UNITS, "compiled": compiled}


def _counted(net: str, width: int, steps: int, claim: str) -> dict[str, object] | None:
    """Settings of the runs that the evidence for a claim counts, if this race trains such nets."""
    base, norms, lrs, depths = {
        "B1": (
            b1_rates.BASE,
            b1_rates.NORMS,
            b1_rates.LRS,
            b1_rates.DEPTHS,
        ),
        "S2": (s2_noisy_race.BASE, s2_noisy_race.NORMS, s2_noisy_race.LRS, s2_noisy_race.DEPTHS),
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
        "momentum": [0.0],
        "weight_decay": [0.0],
        "steps": [steps],
    }


def _check_offer(offer: Iterable[str]) -> list[str]:
    chosen = names_of(offer)
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
    lists = {key: options[name] for key, name in LISTS.items() if name in options}
    state = check_keys(state, ["norms", *lists, *FLAGS])
    checked = {"norms": _check_names(state["norms"], options["norms"])}
    checked |= {key: one_of(key, state[key], offered) for key, offered in lists.items()}
    return checked | {key: check_flag(key, state[key]) for key in FLAGS}


def _check_names(norms: object, offered: list[dict]) -> list[str]:
    reasons = {norm["name"]: norm["reason"] for norm in offered}
    for norm in norms if isinstance(norms, list) else ():
        if reasons.get(norm):
            raise ValueError(f"normalizer {norm!r} cannot race here: it {reasons[norm]}.")
    return check_norms(norms, list(reasons), FEWEST, MOST)
