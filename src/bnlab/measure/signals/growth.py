"""Does a signal grow with depth like a power of it, or exponentially?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from bnlab.arguments import checked
from bnlab.errors import check_number

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing


@dataclass(frozen=True)
class Line:
    """A straight line through logarithms, by least squares.

    Attributes:
        slope: of log(value).
        interval: confidence interval of the slope, from Student's t with n - 2 degrees of freedom;
            it takes the deviations from the line as independent. Those of neighbouring layers are
            not quite: it is then too narrow.
        intercept: of log(value).
        r2: 1 - (residual sum of squares) / (sum of squares about the mean), of log(value); NaN
            where all values are equal.
    """

    slope: float
    interval: tuple[float, float]
    intercept: float
    r2: float


@dataclass(frozen=True, eq=False)
class Growth:
    """Growth of a positive signal v with depth l, fitted in two ways with two parameters each.

    Attributes:
        depth: l, (L,).
        values: v, (L,).
        power: v = c * l^slope: the fit of log v against log l. Its slope is the exponent.
        exponential: v = c * exp(slope * l): the fit of log v against l.
        level: of the confidence intervals.
    """

    depth: np.ndarray
    values: np.ndarray
    power: Line
    exponential: Line
    level: float

    @property
    def better(self) -> str:
        """``power`` or ``exponential``, whichever has the larger R^2; ``neither`` if none has."""
        if np.isnan(self.power.r2) or self.power.r2 == self.exponential.r2:
            return "neither"
        return "power" if self.power.r2 > self.exponential.r2 else "exponential"

    @property
    def exponent(self) -> float:
        """The exponent of the power law: 1 is linear growth."""
        return self.power.slope

    @property
    def exponent_interval(self) -> tuple[float, float]:
        """Confidence interval of ``exponent``."""
        return self.power.interval

    @property
    def rate(self) -> float:
        """Factor per layer of the exponential: 1 is no growth."""
        return float(np.exp(self.exponential.slope))

    @property
    def rate_interval(self) -> tuple[float, float]:
        """Confidence interval of ``rate``."""
        low, high = np.exp(self.exponential.interval)
        return float(low), float(high)

    def plot(self, norm: str = "none") -> Drawing:
        """The values with both fits, on a logarithmic axis.

        Args:
            norm: the normalizer whose colour and marker the values have.
        """
        from bnlab.measure.signals.figures import draw_growth

        return draw_growth(self, norm)


@checked
def fit_growth(
    values: Sequence[float], depth: Sequence[float] | None = None, level: float = 0.95
) -> Growth:
    """Fit a power law and an exponential to a signal that was measured layer by layer.

    Both are lines through log v, so that their R^2 can be compared.

    Source: the two kinds of growth are those of Lubana, Dick and Tanaka 2021, arXiv 2106.05956
    (linear, exponent 1, against exponential).

    Args:
        values: v, one positive number a layer, three or more.
        depth: l, of each value; by default 1, 2, 3, ... A power law depends on where l begins.
        level: of the confidence intervals, between 0 and 1.

    Raises:
        ValueError: for fewer than three values, values that are not positive and finite, depths
            that do not increase from above zero or are not as many, or a level out of range.

    Example:
        >>> growth = fit_growth([3.0, 6.0, 12.0, 24.0])
        >>> growth.better, round(growth.rate, 6), round(growth.exponential.r2, 6)
        ('exponential', 2.0, 1.0)
    """
    v = np.asarray(values, dtype=np.float64)
    if v.ndim != 1 or len(v) < 3:
        raise ValueError(f"a fit needs three values or more in a row, got shape {v.shape}.")
    if not (np.isfinite(v) & (v > 0)).all():
        raise ValueError("growth is fitted to logarithms: all values must be positive and finite.")
    steps = np.arange(1.0, len(v) + 1) if depth is None else np.asarray(depth, dtype=np.float64)
    if steps.shape != v.shape:
        raise ValueError(f"there are {len(v)} values, but depth has shape {steps.shape}.")
    if not (np.isfinite(steps).all() and steps[0] > 0 and (np.diff(steps) > 0).all()):
        raise ValueError("depth must increase and begin above zero.")
    check_number("level", level, 0, 1)
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level!r}.")
    log = np.log(v)
    return Growth(steps, v, _line(np.log(steps), log, level), _line(steps, log, level), level)


def _line(x: np.ndarray, y: np.ndarray, level: float) -> Line:
    centred, deviation = x - x.mean(), y - y.mean()
    squares = centred @ centred
    slope = float(centred @ deviation / squares)
    residual = deviation - slope * centred
    left, total = float(residual @ residual), float(deviation @ deviation)
    error = np.sqrt(left / (len(x) - 2) / squares)
    half = float(stats.t.ppf((1 + level) / 2, len(x) - 2) * error)
    r2 = np.nan if np.ptp(y) == 0 else 1 - left / total
    return Line(slope, (slope - half, slope + half), float(y.mean() - slope * x.mean()), r2)
