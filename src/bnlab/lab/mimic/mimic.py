"""Mimic: the parts of MimicNorm, at the start of nets and in training."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from bnlab.chapters.mimicnorm.looks import LOOKS as CHAPTER
from bnlab.draw.style import STYLE
from bnlab.engines.compiled.catalogue import MIMIC_DEPTHS, MIMIC_PARTS, WIDTH
from bnlab.lab.kit.bundle import bundle, stylesheet
from bnlab.lab.kit.first import First, first_of
from bnlab.lab.kit.images import IMAGES
from bnlab.lab.kit.points import EVALUATE_EVERY, Points
from bnlab.lab.kit.training_widget import TrainingWidget
from bnlab.lab.kit.widget import Content, check_flag, check_keys, check_norms, names_of, one_of
from bnlab.train import Run, make_device, make_trainer

FOLDER = Path(__file__).parent
NETS = ("none", *MIMIC_PARTS, "batch")
STARTS = ("none", "weight_mean", "batch")
"""Nets that differ inside before their first step: a last BatchNorm changes nothing there."""

LRS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
SEEDS = tuple(range(970, 978))
START = FOLDER / "mimic_start.json"  # see bnlab.lab.mimic.mimic_start
BATCH_SIZE, STEPS = 64, 300
BADGE = "The nets train in this page, with the same bits as in Python."
WORDS = {
    "weight_mean": ("w. mean", "weight mean alone"),
    "last_norm": ("last BN", "last BatchNorm alone"),
    "mimic": ("Mimic", "MimicNorm"),
}
"""Short and long names of the parts of MimicNorm."""

THEORY = {"light": "#1b1f24", "dark": "#e4e8ee", "dash": [], "marker": "."}
LOOKS = {
    **{
        name: {**STYLE[CHAPTER[name]], "short": short, "label": label}
        for name, (short, label) in WORDS.items()
    },
    **{f"theory_{kind}": {**THEORY, "short": "", "label": "theory"} for kind in STARTS},
}
"""Looks beside the book's own: of the parts, as in the figures of the chapter, and of theory."""


def mimic_run(name: str, **setting: object) -> Run:
    """The Run of a net: plain SGD with a constant learning rate, as in a race.

    Args:
        name: of ``NETS``.
        **setting: ``depth``, ``lr`` and ``seed``.
    """
    part = {}
    if name in MIMIC_PARTS:
        options = {"eligible": "hidden", "part": MIMIC_PARTS[name]}
        part = {"norm": "none", "method": "mimic_cifar", "method_options": options}
    return Run(
        **(part or {"norm": name}),
        width=WIDTH,
        batch_size=BATCH_SIZE,
        steps=STEPS,
        eval_every=EVALUATE_EVERY,
        **setting,
    )


class Mimic(TrainingWidget):
    """MimicNorm and its parts in MLPs of width 64: how alike images become, and who trains.

    The upper half shows untrained nets, layer by layer, from stored numbers. In the lower half the
    nets train: in the page on the website, by PyTorch with a kernel.

    Args:
        norms: which nets at first, of ``NETS``: ``none`` (no normalizer), ``weight_mean`` (the mean
            of each unit's weights is taken out), ``last_norm`` (one BatchNorm, of the logits),
            ``mimic`` (both) and ``batch`` (BatchNorm in every layer).
        depth: hidden layers, 2, 4, 8, 12, 20 or 30.
        lr: learning rate, one of ``LRS``.
        seed: initial weights and batches, one of ``SEEDS``; by default the first.
        predict: hide the training until a guess is made.
        device: ``auto``, or a name that torch knows.

    Raises:
        ValueError: for a value that the widget does not offer, with those that it does.
    """

    _esm = bundle(FOLDER / "mimic.js")
    _css = stylesheet(FOLDER / "mimic.css")

    def __init__(
        self,
        norms: Iterable[str] = ("none", "last_norm", "mimic", "batch"),
        depth: int = 12,
        lr: float = 0.3,
        seed: int | None = None,
        predict: bool = False,
        device: str = "auto",
    ) -> None:
        device = str(make_device(device))
        state = {
            "norms": names_of(norms),
            "depth": depth,
            "lr": lr,
            "seed": SEEDS[0] if seed is None else seed,
            "predict": predict,
        }
        super().__init__(_options(device), state, device)

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does."""
        numbers = ("depth", "lr", "seed")
        state = check_keys(state, ["norms", *numbers, "predict"])
        checked: dict[str, object] = {"norms": check_norms(state["norms"], options["norms"])}
        checked |= {key: one_of(key, state[key], options[f"{key}s"]) for key in numbers}
        return checked | {"predict": check_flag("predict", state["predict"])}

    def warm_up(self) -> Iterator:
        """Load data and torch's optimizers (seconds) before the reader presses Train."""
        run = mimic_run("mimic", depth=MIMIC_DEPTHS[0], lr=0.1, seed=SEEDS[0]).replace(steps=1)
        return self.train_in_turns({"mimic": run})

    def begin(self, state: dict[str, object]) -> Iterator:
        """The nets of a state, step by step in turn."""
        setting = {key: state[key] for key in ("depth", "lr", "seed")}
        return self.train_in_turns({name: mimic_run(name, **setting) for name in state["norms"]})


def first() -> First:
    """What the page shows where it cannot train."""

    def trained(state: dict[str, object]) -> Iterator[Content]:
        setting = {key: state[key] for key in ("depth", "lr", "seed")}
        for name in state["norms"]:
            points = Points()
            for record in make_trainer(mimic_run(name, **setting), "compiled").steps():
                points.add(record)
            yield name, points.take()

    return first_of(Mimic, ("norms", "depth", "lr", "seed"), trained, norms=NETS)


@functools.lru_cache(maxsize=1)
def start_curves() -> dict[str, dict[str, list]]:
    """What the upper half shows: the file that ``mimic_start`` makes."""
    return json.loads(START.read_text(encoding="utf-8"))


def _options(device: str) -> dict[str, object]:
    """What the widget offers, and all that its upper half shows."""
    return {
        "name": "mimic",
        "norms": list(NETS),
        "words": {"weight_mean": "weight mean", "mimic": "MimicNorm"},
        "depths": list(MIMIC_DEPTHS),
        "lrs": list(LRS),
        "seeds": list(SEEDS),
        "batch_size": BATCH_SIZE,
        "steps": STEPS,
        "net": "mlp",
        "width": WIDTH,
        "device": device,
        "compiled": "mimic",
        "first": True,
        "badge": BADGE,
        "looks": LOOKS,
        "start": start_curves(),
        "images": IMAGES,
    }
