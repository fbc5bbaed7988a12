"""Choices: a supernet as a grid of choices, and the architecture that its scales choose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bnlab.chapters.bn_nas.space import BASE
from bnlab.chapters.bn_nas.trainings import RATES, STEPS, TRAINED
from bnlab.lab.choices.choices_truth import truth
from bnlab.lab.choices.supernets import SEEDS, SHOWN, costs, growing, space
from bnlab.lab.kit.bundle import bundle, stylesheet
from bnlab.lab.kit.widget import ComputingWidget, Content, check_flag, check_keys, one_of

FOLDER = Path(__file__).parent
BUDGETS = (30, 40, 50, 60, 70, 80, 90, 100)
"""Most multiply-accumulates that a search may spend, in per cent of the largest net's."""

ACROSS = ("score", "size")
KEYS = ("trained", "step", "seed", "budget", "path", "across", "predict")
SEARCH = {"population": 16, "parents": 4, "mutants": 6, "children": 6, "rate": 0.25, "rounds": 8}
"""BN-NAS has 50, 10, 25, 25, 0.1 and 20, for a space of 6^21 architectures."""

WHY_STORED = (
    "Why stored: the engine of this page has no depthwise convolutions, and no net whose path "
    "changes at each step. Ranks and search are computed here."
)


class Choices(ComputingWidget):
    """The choice blocks of a supernet with the scales of their operations, while it trains.

    The reader picks an architecture and sees its rank by score (the sum of its scales), by size and
    by truth (its accuracy, trained alone); an evolution searches for the best score. With a kernel
    the supernet trains by PyTorch; on the website its training is stored. Ranks and search are
    always computed in the page.

    Args:
        trained: ``all`` weights, those of all ``norms``, or of each operation the ``last`` one's.
        step: steps of training that are shown, one of ``SHOWN``.
        seed: of the supernet and the search, one of ``SEEDS``; by default the first.
        budget: most multiply-accumulates of the search in per cent, one of ``BUDGETS``.
        path: the architecture that the reader has picked, an operation for each block, as in
            ``k3e6-identity-k5e3-k3e3``; by default the smallest kernels and widths.
        across: what the points are drawn against, ``score`` or ``size``.
        predict: hide the accuracies until a guess is made.

    Raises:
        ValueError: for a value that the widget does not offer, with those that it does.
    """

    _esm = bundle(FOLDER / "choices.js")
    _css = stylesheet(FOLDER / "choices.css")

    def __init__(
        self,
        trained: str = "all",
        step: int = STEPS,
        seed: int | None = None,
        budget: int = 60,
        path: str | None = None,
        across: str = "score",
        predict: bool = False,
    ) -> None:
        seed = SEEDS[0] if seed is None else seed
        path = "-".join(["k3e3"] * BASE.depth) if path is None else path
        values = (trained, step, seed, budget, path, across, predict)
        super().__init__(_options(), dict(zip(KEYS, values, strict=True)))

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does."""
        state = check_keys(state, KEYS)
        offered = {
            "trained": options["trained"],
            "step": options["steps"],
            "seed": options["seeds"],
            "budget": options["budgets"],
            "across": options["across"],
        }
        checked = {key: one_of(key, state[key], values) for key, values in offered.items()}
        checked["path"] = check_path(state["path"], options["blocks"])
        return checked | {"predict": check_flag("predict", state["predict"])}

    def begin(self, state: dict[str, object]) -> Iterator[Content]:
        """Train the supernet of a state to its end; its scales every few steps."""
        for step, scales in growing(state["trained"], state["seed"]):
            yield "supernet", scales and {"step": step, "scales": scales}


def check_path(path: object, blocks: list[list[str]]) -> str:
    """The path, if it has one operation of each block; else a ValueError."""
    names = path.split("-") if isinstance(path, str) else []
    if len(names) != len(blocks) or any(a not in of for a, of in zip(names, blocks, strict=True)):
        listed = "; ".join(f"block {k}: {', '.join(names)}" for k, names in enumerate(blocks, 1))
        raise ValueError(
            f"path must name one operation a block, joined by '-' ({listed}): {path!r}."
        )
    return path


def _options() -> dict[str, object]:
    """What the widget offers, and what is known of the architectures."""
    return {
        "name": "choices",
        "replay": "choices",
        "trained": list(TRAINED),
        "steps": list(SHOWN),
        "seeds": list(SEEDS),
        "budgets": list(BUDGETS),
        "across": list(ACROSS),
        "blocks": [list(names) for names in space().names],
        "costs": costs(),
        "truth": {"right": truth()["right"], "images": truth()["images"], "steps": BASE.steps},
        "search": SEARCH,
        "rates": RATES,
        "why": WHY_STORED,
    }
