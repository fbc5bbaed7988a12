"""GroupSizes: a group size next to its neighbours, at the start of nets and in training."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path

from bnlab.engines.compiled.catalogue import DEPTHS, GROUP_SIZES, WIDTH
from bnlab.errors import check_name
from bnlab.lab.kit.bundle import bundle, stylesheet
from bnlab.lab.kit.first import First, first_of
from bnlab.lab.kit.points import EVALUATE_EVERY, Points
from bnlab.lab.kit.training_widget import TrainingWidget
from bnlab.lab.kit.widget import Content, check_flag, check_keys, one_of
from bnlab.train import Run, make_device, make_trainer

FOLDER = Path(__file__).parent
SIZES = (*GROUP_SIZES, WIDTH)
BESIDE = ("nothing", "batch", "none", "both")
LRS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
SEEDS = tuple(range(650, 658))
START = FOLDER / "group_start.json"  # see bnlab.lab.group_sizes.group_start
BATCH_SIZE, STEPS = 64, 300
NO_INSTANCE = (
    "Groups of 1, instance norm, are not offered: in this net a channel has a single value, and "
    "every output would be the same. Of groups of 2 only the sign of a difference is left."
)
LOOKS = {
    "group_2": ("groups of 2", "groups of 2", "#57005f", "#bb5ace", [2, 3], ">"),
    "group_4": ("groups of 4", "groups of 4", "#8f6d00", "#c48800", [6, 3], "v"),
    "group_8": ("groups of 8", "groups of 8", "#00502f", "#5fe8a0", [10, 3, 2, 3], "D"),
    "group_16": ("groups of 16", "groups of 16", "#6f4df0", "#c4f040", [12, 3], "p"),
    "group_32": ("groups of 32", "groups of 32", "#3a1478", "#8577ff", [14, 3, 2, 3, 2, 3], "h"),
}
"""Short and long name, colour on light and dark pages, dash and marker of what the book's style
calls group norm: here the sizes have to be told apart."""


def variant(size: int) -> str:
    """What the compiled nets are called that have groups of this size."""
    return "layer" if size == WIDTH else f"group_{size}"


def variants_of(state: dict[str, object]) -> list[str]:
    """The nets that a state shows: half the size, the size, twice the size, and references."""
    at = SIZES.index(state["group_size"])
    beside = {"nothing": [], "both": ["batch", "none"]}.get(state["beside"], [state["beside"]])
    return [*map(variant, SIZES[max(0, at - 1) : at + 2]), *beside]


def make_run(name: str, **setting: object) -> Run:
    """The Run of a net: plain SGD with a constant learning rate, as in a race.

    Args:
        name: of a variant.
        **setting: ``depth``, ``lr`` and ``seed``.
    """
    of_group = name.startswith("group_")
    return Run(
        norm="group" if of_group else name,
        norm_options={"group_size": int(name[6:])} if of_group else {},
        width=WIDTH,
        batch_size=BATCH_SIZE,
        steps=STEPS,
        eval_every=EVALUATE_EVERY,
        **setting,
    )


class GroupSizes(TrainingWidget):
    """Group norm in MLPs of width 64: how alike samples are, and which group size trains.

    The upper half shows untrained nets, layer by layer, from stored numbers. In the lower half the
    nets train: in the page on the website, by PyTorch with a kernel.

    Args:
        group_size: channels a group, one of ``SIZES``; 64 are layer norm. Half and twice the size
            are shown beside it.
        depth: hidden layers, 2, 4, ..., 12.
        lr: learning rate, one of ``LRS``.
        beside: which references are shown too: ``nothing``, ``batch``, ``none`` or ``both``.
        seed: initial weights and batches, one of ``SEEDS``; by default the first.
        predict: hide the training until a guess is made.
        device: ``auto``, or a name that torch knows.

    Raises:
        ValueError: for a value that the widget does not offer, with those that it does.
    """

    _esm = bundle(FOLDER / "group_sizes.js")
    _css = stylesheet(FOLDER / "group_sizes.css")

    def __init__(
        self,
        group_size: int = 8,
        depth: int = 6,
        lr: float = 0.1,
        beside: str = "batch",
        seed: int | None = None,
        predict: bool = False,
        device: str = "auto",
    ) -> None:
        device = str(make_device(device))
        state = {
            "group_size": group_size,
            "depth": depth,
            "lr": lr,
            "beside": beside,
            "seed": SEEDS[0] if seed is None else seed,
            "predict": predict,
        }
        super().__init__(_options(device), state, device)

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does."""
        numbers = ("group_size", "depth", "lr", "seed")
        state = check_keys(state, [*numbers, "beside", "predict"])
        check_name("beside", state["beside"], options["besides"])
        checked = {key: one_of(key, state[key], options[f"{key}s"]) for key in numbers}
        flag = {"predict": check_flag("predict", state["predict"])}
        return {**checked, "beside": state["beside"], **flag}

    def warm_up(self) -> Iterator:
        """Load data and torch's optimizers (seconds) before the reader presses Train."""
        run = make_run("batch", depth=2, lr=0.1, seed=SEEDS[0]).replace(steps=1)
        return self.train_in_turns({"batch": run})

    def begin(self, state: dict[str, object]) -> Iterator:
        """The nets of a state, step by step in turn."""
        setting = {key: state[key] for key in ("depth", "lr", "seed")}
        return self.train_in_turns({name: make_run(name, **setting) for name in variants_of(state)})


def first() -> First:
    """What the page shows where it cannot train."""
    keys = ("group_size", "depth", "lr", "beside", "seed")

    def trained(state: dict[str, object]) -> Iterator[Content]:
        setting = {key: state[key] for key in ("depth", "lr", "seed")}
        for name in variants_of(state):
            points = Points()
            for record in make_trainer(make_run(name, **setting), "compiled").steps():
                points.add(record)
            yield name, points.take()

    return first_of(GroupSizes, keys, trained)


@functools.lru_cache(maxsize=1)
def start_grid() -> dict[str, dict[str, dict]]:
    """What the upper half shows, by variant and depth: the file that ``group_start`` makes."""
    return json.loads(START.read_text(encoding="utf-8"))


def _options(device: str) -> dict[str, object]:
    """What the widget offers, and all that its upper half shows."""
    keys = ("short", "label", "light", "dark", "dash", "marker")
    return {
        "name": "groups",
        "group_sizes": list(SIZES),
        "depths": list(DEPTHS[1::2]),
        "lrs": list(LRS),
        "seeds": list(SEEDS),
        "besides": list(BESIDE),
        "batch_size": BATCH_SIZE,
        "steps": STEPS,
        "net": "mlp",
        "width": WIDTH,
        "device": device,
        "compiled": "groups",
        "first": True,
        "instance": NO_INSTANCE,
        "looks": {name: dict(zip(keys, look, strict=True)) for name, look in LOOKS.items()},
        "start": start_grid(),
        "start_seeds": len(SEEDS),
    }
