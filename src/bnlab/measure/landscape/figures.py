"""The figures of the loss along its gradient, on a line and a plane, and of theorem 4.1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bnlab.draw.figure import INK, Drawing, curve, draw, label, panel, plain_log
from bnlab.draw.maps import called, colour_bar, counted
from bnlab.draw.style import STYLE
from bnlab.draw.words import magnitude

DASHES = ("-", "--", ":", "-.")


class AlongGradient(Protocol):
    """What ``landscapes`` reads of ``Landscape``."""

    steps: np.ndarray
    losses: np.ndarray
    gradient_changes: np.ndarray
    betas: np.ndarray
    loss_range: float
    gradient_change_max: float
    effective_beta: float


class OnLine(Protocol):
    """What ``line_slices`` reads of ``LineSlice``."""

    t: np.ndarray
    losses: np.ndarray
    loss: float


class OnPlane(Protocol):
    """What ``plane_slice`` reads of ``PlaneSlice``."""

    a: np.ndarray
    b: np.ndarray
    losses: np.ndarray
    loss: float


class BothSides(Protocol):
    """What ``identity`` reads of ``GradientIdentity``."""

    layer: str
    before: np.ndarray
    right: np.ndarray
    printed: np.ndarray
    error: float


def landscapes(found: Mapping[str, AlongGradient]) -> Drawing:
    """Loss, change of the gradient and beta along the gradient, of one net or several.

    Args:
        found: results by name; a normalizer's name gives the curve its look.
    """
    sizes = [
        f"{called(name)}: loss range {magnitude(r.loss_range)}, gradient change at most "
        f"{magnitude(r.gradient_change_max)}, effective beta {magnitude(r.effective_beta)}"
        for name, r in found.items()
    ]
    lost = [f"{called(name)} diverged at {d}" for name, r in found.items() if (d := _lost(r))]
    alt = (
        "Loss, change of the gradient and beta against the length of a step along the gradient. "
        + "; ".join([*sizes, *lost])
        + "."
    )
    caption = (
        "Looks ahead along the gradient of one batch, with the same noise at each. "
        "Beta: change of the gradient over length of the way."
    )
    panels = [
        _panel("Loss range " + _each(found, "loss_range"), found, "losses", "loss"),
        _panel(
            "Gradient changes by " + _each(found, "gradient_change_max"),
            found,
            "gradient_changes",
            "change of the gradient (l2)",
        ),
        _panel("Effective beta " + _each(found, "effective_beta"), found, "betas", "beta"),
    ]
    return draw(panels, alt, caption)


def line_slices(found: Mapping[str, OnLine]) -> Drawing:
    """The loss along a direction, of one net or several."""
    lowest = "; ".join(
        f"{called(name)}: {magnitude(s.loss)} at 0, between {magnitude(s.losses.min())} and "
        f"{magnitude(s.losses.max())}"
        for name, s in found.items()
    )
    axes = panel("Loss on a line through the weights")
    for place, (name, one) in _from_the_top(found, "losses"):
        _draw_curve(axes, name, place, one.t, one.losses, marker="")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.axvline(0, color=INK, lw=1, ls=":")
    axes.set(xlabel="position, in lengths of the direction", ylabel="loss")
    _mark_losses(axes, [one.losses for one in found.values()])
    return draw([axes], f"Loss along a line. {lowest}.", "0: the net as it is.")


def plane_slice(found: OnPlane, name: str) -> Drawing:
    """The loss on a plane, in colours and contour lines."""
    finite = np.isfinite(found.losses)
    losses = np.where(finite, found.losses, np.nan)
    axes = panel(f"Loss {magnitude(found.loss)} at the net, up to {magnitude(found.losses.max())}")
    mesh = axes.pcolormesh(found.b, found.a, losses, shading="nearest", rasterized=True)
    if min(losses.shape) > 1 and np.nanmin(losses) < np.nanmax(losses):
        axes.contour(found.b, found.a, losses, colors=INK, linewidths=0.7)
    axes.plot([0], [0], marker="+", color=INK, ms=12, mew=2)
    axes.set(xlabel="along the second direction", ylabel="along the first direction")
    colour_bar(axes, mesh, "loss")
    alt = (
        f"Loss of {called(name)} on a plane through its weights: {magnitude(found.loss)} at the "
        f"net itself, {magnitude(found.losses.min())} at least, "
        f"{magnitude(found.losses.max())} at most."
    )
    missing = f" {int((~finite).sum())} points, not finite, are left out." * (not finite.all())
    return draw([axes], alt, f"The cross is the net itself.{missing}")


def identity(found: BothSides) -> Drawing:
    """Both right sides of theorem 4.1 over the left one, channel by channel."""
    below = int((found.printed < found.before * (1 - 1e-6)).sum())
    axes = panel(f"With 1/m both sides agree to {found.error:.0e}")
    size = np.where(found.before > 0, found.before, np.nan)
    channel = np.arange(1, len(size) + 1)
    axes.axhline(1, color=INK, lw=1, ls=":")
    axes.plot(channel, found.right / size, "o", color=INK, ms=5, alpha=0.7, label="1/m")
    look = {"color": STYLE["none"]["light"], "ms": 5, "mfc": "none"}
    axes.plot(channel, found.printed / size, "v", label="1/√m, as printed", **look)
    axes.set(xlabel="channel", ylabel="right side / |dL/dz|²", xticks=counted(len(size)))
    axes.margins(y=0.25)
    axes.legend(frameon=False, labelcolor=INK, loc="lower left", ncols=2)
    alt = (
        f"Squared gradient norm before the layer {found.layer}, for {len(found.before)} channels, "
        "against the right side of theorem 4.1. With 1/m both are equal (largest relative error "
        f"{found.error:.1e}); with 1/√m the right side is too small for {below} of them."
    )
    return draw([axes], alt, "A point a channel. The paper claims at least 1.")


def _panel(title: str, found: Mapping[str, AlongGradient], field: str, unit: str) -> Axes:
    axes = panel(title)
    for place, (name, one) in _from_the_top(found, field):
        _draw_curve(axes, name, place, one.steps, getattr(one, field))
    plain_log(axes, "x")
    axes.set(xlabel="length of the step, as a learning rate", ylabel=unit)
    _mark_losses(axes, [getattr(one, field) for one in found.values()])
    return axes


def _from_the_top(found: Mapping[str, object], field: str) -> Iterator[tuple[int, tuple]]:
    # The highest curve has its name above it, the others below.
    return enumerate(sorted(found.items(), key=lambda item: -getattr(item[1], field)[-1]))


def _draw_curve(
    axes: Axes, name: str, place: int, x: np.ndarray, y: np.ndarray, **options: object
) -> None:
    shown = np.where(np.isfinite(y), y, np.nan)
    if name in STYLE:
        curve(axes, name, x, shown, **options)
    else:
        dash = DASHES[place % len(DASHES)]
        axes.plot(x, shown, **{"color": INK, "ls": dash, "marker": "o", "ms": 5, **options})
    last = np.flatnonzero(np.isfinite(y))
    if not last.size:
        return
    spot = {"xytext": (-2, 7 if place == 0 else -17), "ha": "right"}
    if name in STYLE:
        label(axes, name, x[last[-1]], y[last[-1]], **spot)
    else:
        spot["textcoords"] = "offset points"
        axes.annotate(name, (x[last[-1]], y[last[-1]]), color=INK, **spot)


def _mark_losses(axes: Axes, rows: Sequence[np.ndarray]) -> None:
    axes.margins(y=0.15)
    values = np.concatenate(rows)
    values = values[np.isfinite(values)]
    # Over a thousandfold range a linear axis shows one point and a line.
    if values.size and values.min() > 0 and values.max() > 1e3 * values.min():
        plain_log(axes, "y")


def _each(found: Mapping[str, AlongGradient], field: str) -> str:
    return " / ".join(magnitude(getattr(one, field)) for one in found.values())


def _lost(one: AlongGradient) -> str:
    lost = one.steps[~np.isfinite(one.losses)]
    return f"steps from {lost.min():.3g}" if lost.size else ""
