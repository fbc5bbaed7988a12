"""The figure of the largest stable learning rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from bnlab.draw.figure import INK, Drawing, draw, panel, plain_log
from bnlab.draw.maps import called
from bnlab.draw.style import STYLE

RULES = {"rise": ("first rise of the loss", "--"), "divergence": ("divergence", ":")}
FILL = {"^": "none"}


class Tried(Protocol):
    """What ``stable_rates`` reads of a ``Trial``."""

    rate: float
    before: np.ndarray
    after: np.ndarray
    rise_at: int | None
    diverged_at: int | None


class Bracketed(Protocol):
    """What ``stable_rates`` reads of a ``Bracket``, beside its words."""

    stable: float | None
    unstable: float | None
    surprises: tuple[float, ...]


class Bisected(Protocol):
    """What ``stable_rates`` reads of ``StableRate``."""

    rise: Bracketed | None
    divergence: Bracketed | None
    trials: Sequence[Tried]
    bound: float


def stable_rates(found: Bisected, name: str) -> Drawing:
    """Loss at the end of each trial over its loss at the start, and the largest stable rates."""
    brackets = {r: b for r in RULES if (b := getattr(found, r)) is not None}
    words = "; ".join(f"{RULES[rule][0]} {bracket}" for rule, bracket in brackets.items())
    axes = panel("Largest stable rate " + " / ".join(_short(b.stable) for b in brackets.values()))
    rates = np.array([trial.rate for trial in found.trials])
    ends = np.array([_end(trial, found.bound) for trial in found.trials])
    axes.plot(rates, ends, color=STYLE[name]["light"] if name in STYLE else INK, lw=1, alpha=0.5)
    marks = np.array([_mark(trial) for trial in found.trials])
    for mark in "o^x":
        chosen = marks == mark
        axes.plot(rates[chosen], ends[chosen], mark, color=INK, ms=7, mfc=FILL.get(mark, INK))
    for rule, bracket in brackets.items():
        if bracket.stable is not None and bracket.unstable is not None:
            axes.axvline(bracket.stable, color=INK, lw=1.3, ls=RULES[rule][1])
    decades = np.arange(np.floor(np.log10(rates[0])), np.ceil(np.log10(rates[-1])) + 1)
    plain_log(axes, "x", 10.0 ** decades[:: 1 + len(decades) // 5])
    plain_log(axes, "y")
    axes.set(xlabel="learning rate", ylabel="largest loss / first loss")
    surprises = sorted({rate for b in brackets.values() for rate in b.surprises})
    again = ", ".join(f"{rate:.3g}" for rate in surprises)
    odd = f" Stable again above: {again}." if surprises else ""
    alt = f"Largest stable learning rate of {called(name)}: {words}.{odd}"
    caption = (
        f"A mark a rate tried: ● never rose, △ rose, × diverged (beyond {found.bound:g} times the "
        "first loss, drawn there). Dashed: largest rate without a rise; dotted: without divergence."
    )
    return draw([axes], alt, caption)


def _mark(trial: Tried) -> str:
    if trial.diverged_at is not None:
        return "x"
    return "o" if trial.rise_at is None else "^"


def _end(trial: Tried, bound: float) -> float:
    first = max(abs(trial.before[0]), np.finfo(float).tiny)
    return float(np.clip(trial.after.max() / first, 1e-6, bound))


def _short(rate: float | None) -> str:
    return "none" if rate is None else f"{rate:.3g}"
