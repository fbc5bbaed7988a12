"""Least squares with two features, raw, standardized and whitened, by gradient descent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from bnlab.draw.figure import INK, Drawing, draw, panel
from bnlab.draw.style import STYLE

SAMPLES = 200
MEANS, DEVIATIONS, CORRELATION = (2.0, 10.0), (1.0, 5.0), 0.6
WEIGHTS = (1.0, -0.2)  # what is to be found, for the raw features
ENOUGH = 0.01  # of the first loss: there descent ends
FAR = 1.5  # how far a panel shows, in distances from the start to the minimum


@dataclass(frozen=True)
class Descent:
    """Gradient descent from zero at the best constant rate.

    Attributes:
        hessian: of half the mean squared error, (2, 2).
        path: weights minus those of the minimum, before each step and at the end, (T + 1, 2).
    """

    hessian: np.ndarray
    path: np.ndarray

    @property
    def steps(self) -> int:
        """Until the loss is ``ENOUGH`` of the first."""
        return len(self.path) - 1

    @property
    def condition(self) -> float:
        """Largest curvature over smallest."""
        low, high = np.linalg.eigvalsh(self.hessian)
        return float(high / low)


def features(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two features that go together, (n, 2), and a target that is linear in them, (n,)."""
    drawn = np.random.default_rng(seed).normal(size=(SAMPLES, 2))
    drawn = whitened(drawn)  # then mean, deviation and correlation are those above
    second = CORRELATION * drawn[:, 0] + np.sqrt(1 - CORRELATION**2) * drawn[:, 1]
    x = np.array(MEANS) + np.array(DEVIATIONS) * np.stack([drawn[:, 0], second], axis=1)
    return x, x @ np.array(WEIGHTS)


def raw(x: np.ndarray) -> np.ndarray:
    """The features as they are."""
    return x


def standardized(x: np.ndarray) -> np.ndarray:
    """Each feature with mean 0 and variance 1."""
    return (x - x.mean(0)) / x.std(0)


def whitened(x: np.ndarray) -> np.ndarray:
    """Mean 0, variance 1, and nothing in common."""
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    return (x - x.mean(0)) @ vectors / np.sqrt(values) @ vectors.T


KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "raw": raw,
    "standardized": standardized,
    "whitened": whitened,
}


def descent(x: np.ndarray, y: np.ndarray) -> Descent:
    """Descend from zero on mean((x w - y)^2) / 2, with rate 2 / (largest + smallest curvature)."""
    hessian = x.T @ x / len(x)
    path = [-np.linalg.lstsq(x, y, rcond=None)[0]]
    rate = 2 / np.linalg.eigvalsh(hessian).sum()
    first = path[0] @ hessian @ path[0]
    while path[-1] @ hessian @ path[-1] > ENOUGH * first:
        path.append(path[-1] - rate * hessian @ path[-1])
    return Descent(hessian, np.array(path))


def descents() -> dict[str, Descent]:
    """One for each of ``KINDS``; without its mean where the features have none, y has none."""
    x, y = features()
    return {
        name: descent(change(x), y if change is raw else y - y.mean())
        for name, change in KINDS.items()
    }


def three_wells() -> Drawing:
    """The three losses around their minimum, and the way of gradient descent."""
    found = descents()
    panels = [_well(name, one) for name, one in found.items()]
    counts = ", ".join(f"{name} {one.steps} {_noun(one.steps)}" for name, one in found.items())
    alt = (
        "Lines of equal loss of a least squares problem around its minimum, and gradient descent "
        f"to one per cent of the first loss: {counts}. a: a narrow valley, along which descent "
        "creeps. b: broad ellipses. c: circles, with one step to the middle."
    )
    caption = (
        "One regression problem, three forms of its two inputs. Lines of equal loss; the path "
        "begins at weights of zero and ends at 1 % of the loss there, each at its best constant "
        "rate. Lengths are in units of the distance from the start to the minimum. In b and c the "
        "target has mean 0 too."
    )
    return draw(panels, alt, caption)


def _noun(count: int) -> str:
    return "step" if count == 1 else "steps"


def _well(name: str, one: Descent) -> Axes:
    axes = panel(f"{name}: {one.steps} {_noun(one.steps)}", size=(3.5, 3.7))
    path = one.path / np.linalg.norm(one.path[0])
    grid = np.linspace(-FAR, FAR, 201)
    at = np.stack(np.meshgrid(grid, grid), axis=-1)
    loss = np.einsum("...i,ij,...j", at, one.hessian, at)
    levels = loss.max() * np.array([0.003, 0.02, 0.08, 0.2, 0.4, 0.7])
    axes.contour(grid, grid, loss, levels, colors=STYLE["none"]["light"], linewidths=0.8)
    axes.plot(*path.T, "o-", color=STYLE["batch"]["light"], ms=3.5, lw=1.4)
    axes.plot(*path[0], "s", color=STYLE["batch"]["light"], ms=8)
    axes.plot(0, 0, "+", color=INK, ms=12, mew=2)
    axes.set(xlabel="first weight", ylabel="second weight", aspect="equal")
    axes.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1), xlim=(-FAR, FAR), ylim=(-FAR, FAR))
    return axes
