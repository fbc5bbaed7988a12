"""BNN3 of Chen 2021: does accuracy collapse if BatchNorm is simply left out? In which net?

The nets differ in two things: whether their filters have a scale (mean |w|, as in the paper) or are
signs alone, and whether their blocks have shortcuts (as in the paper) or are bare.

What BatchNorm does is tried by an intervention: what each sign sees is divided by one number that
is fixed before training. The signs stay the same; only the window in which their gradient is
estimated becomes as wide as the signals are. Nothing else of what BatchNorm does is done.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.binary_nets.trainings import BASE, Setup
from bnlab.chapters.binary_nets.tuned import Arm, arm_facts, at_best, effect_facts, lead, measured
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1032, 1040))
FAILED = 0.5
RATES = (0.003, 0.01, 0.03, 0.1)
NETS = {
    "scaled": {},
    "signs": {"scale": "none"},
    "scaled_bare": {"shortcuts": False},
    "signs_bare": {"scale": "none", "shortcuts": False},
}
LRS = {
    "scaled_none": RATES[:3],
    "signs_none": RATES[1:],
    "scaled_bare_none": RATES[:3],
    "signs_bare_none": RATES[1:],
    "signs_widened": RATES[:3],
    "signs_bare_widened": RATES[:3],
}
"""Where trials had shown that one rate less is enough."""
ARMS = {
    f"{net}_{method}": Arm(Setup(method, **options), LRS.get(f"{net}_{method}", RATES))
    for net, options in NETS.items()
    for method in ("batch", "none", "widened")
    if net.startswith("signs") or method != "widened"
}
BORROWED = [(f"{net}_none", f"{net}_batch") for net in ("scaled", "scaled_bare")]


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, tuning: dict | None = None, base: Run = BASE
) -> dict:
    """Choose the rate of each arm, and train with it; arguments as in BNN1."""
    return measured(ARMS, seeds, work, tuning, base, BORROWED)


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of BNN3, one number a seed.

    For each net BatchNorm minus none, in one also at the rate of BatchNorm; and the wider window.
    """
    collapse = {net: lead(data, f"{net}_batch", f"{net}_none") for net in NETS}
    return collapse | {
        "same_rate": at_best(data, "scaled_bare_batch") - unchanged(data, "scaled_bare"),
        "window": lead(data, "signs_widened", "signs_none"),
        "window_bare": lead(data, "signs_bare_widened", "signs_bare_none"),
    }


def unchanged(data: dict, net: str) -> np.ndarray:
    """Test accuracy without BatchNorm at the rate that was best with it, (seeds,)."""
    return at_best(data, f"{net}_none", f"{net}_batch")


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: those of ``arm_facts`` and of ``effect_facts``.

    ``test_NET_unchanged`` is that without BatchNorm at the rate that was best with it, and
    ``failed_NET_unchanged`` the number of seeds that ended below 50 %.
    """
    same: dict[str, float] = {}
    for net in ("scaled", "scaled_bare"):
        score = unchanged(data, net)
        same |= {
            f"test_{net}_unchanged": 100 * score.mean(),
            f"failed_{net}_unchanged": int((score < FAILED).sum()),
        }
    return arm_facts(data) | effect_facts(values(data)) | same
