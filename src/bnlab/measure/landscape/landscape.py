"""How smooth the loss is along its gradient: Santurkar's three probes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from bnlab.arguments import checked
from bnlab.errors import check_number
from bnlab.measure.kit.coverage import Coverage, by_gradient
from bnlab.measure.kit.lengths import total_norm
from bnlab.measure.kit.loss import Loss
from bnlab.measure.landscape.probe import as_array, check_steps, probing

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing


@dataclass(frozen=True)
class StepGrid:
    """Step lengths for a probe, as multiples of the learning rate, evenly spaced in log.

    Attributes:
        low: the smallest multiple.
        high: the largest multiple.
        cap: the largest step, not a multiple; inf for none.
        points: how many (the paper gives the ranges, not the number).
    """

    low: float
    high: float
    cap: float = np.inf
    points: int = 7

    def steps(self, lr: float) -> np.ndarray:
        """The steps for learning rate ``lr``: from low * lr to min(high * lr, cap), (points,).

        Raises:
            ValueError: if lr is not positive, or so large that the cap leaves no range.
        """
        check_number("lr", lr, np.finfo(float).tiny)
        low, high = self.low * lr, min(self.high * lr, self.cap)
        if low > high:
            raise ValueError(
                f"at lr={lr:g} the smallest step, {low:g}, is beyond this grid's cap of {high:g}. "
                "Give steps of your own."
            )
        return np.geomspace(low, high, self.points)


VGG = StepGrid(0.5, 4.0, cap=0.4)
"""Santurkar et al. 2018, figure 4: a VGG on CIFAR-10, half to four times the rate, at most 0.4."""

DEEP_LINEAR = StepGrid(0.01, 30.0, points=15)
"""Santurkar et al. 2018, figures of the appendix: deep linear nets, 1/100 to 30 times the rate."""


@dataclass(frozen=True, eq=False)
class Landscape(Coverage):
    """The loss along its negative gradient, from one point of a training.

    With g = grad L(w), the same batch and the same noise everywhere; inf where a number was not
    finite.

    Attributes:
        steps: s, lengths in units of the learning rate, (S,).
        loss: L(w).
        gradient_norm: |g|.
        losses: L(w - s g), (S,), in the unit of the loss.
        gradient_changes: |grad L(w - s g) - g|, (S,).
        mode: in which the net was: ``train``, ``eval``, or ``mixed``.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    steps: np.ndarray
    loss: float
    gradient_norm: float
    losses: np.ndarray
    gradient_changes: np.ndarray
    mode: str

    @property
    def loss_min(self) -> float:
        """Smallest loss over the steps."""
        return float(self.losses.min())

    @property
    def loss_max(self) -> float:
        """Largest loss over the steps."""
        return float(self.losses.max())

    @property
    def loss_range(self) -> float:
        """Largest less smallest loss over the steps; inf if any is not finite."""
        return self.loss_max - self.loss_min if np.isfinite(self.loss_max) else np.inf

    @property
    def gradient_change_min(self) -> float:
        """Smallest change of the gradient over the steps."""
        return float(self.gradient_changes.min())

    @property
    def gradient_change_max(self) -> float:
        """Largest change of the gradient over the steps: how ill the gradient predicts itself."""
        return float(self.gradient_changes.max())

    @property
    def betas(self) -> np.ndarray:
        """The ratios |grad L(w - s g) - g| / |s g|, (S,)."""
        return self.gradient_changes / (self.steps * self.gradient_norm)

    @property
    def effective_beta(self) -> float:
        """The largest of ``betas``: the effective beta-smoothness along the gradient."""
        return float(self.betas.max())

    def plot(self, name: str = "this net") -> Drawing:
        """Loss, change of the gradient and beta over the steps.

        Args:
            name: of a normalizer, whose look the curves then have, or any other label.
        """
        from bnlab.measure.landscape.figures import landscapes

        return landscapes({name: self})


@checked
def measure_landscape(
    net: nn.Module,
    loss: Loss,
    x: object,
    y: object,
    steps: object,
    mode: str | None = None,
) -> Landscape:
    r"""Loss and gradient of ``net`` at w - s g for each step s, with g = grad L(w) on one batch.

    Gives the *loss range* max_s L - min_s L, the *gradient predictiveness* |grad L(w - s g) - g|
    and the *effective beta-smoothness* max_s |grad L(w - s g) - g| / |s g|. The steps are looks
    ahead, never updates. Noise (dropout, ``noisy_batch``, any of torch's random numbers) is the
    same at every step; else it would be measured as roughness. The net stays as it was.

    The steps are added in the net's precision. Where s |g| is below about 1e-5 |w|, use a net in
    float64: rounding would dominate beta.

    Source: Santurkar et al. 2018, arXiv 1805.11604, section 3.1 and figure 4.

    Args:
        net: any module whose output ``loss`` takes.
        loss: from output and target to a tensor of shape ().
        x: inputs; several as a tuple, or by name as a dict.
        y: targets.
        steps: lengths, positive, such as ``VGG.steps(lr)``, (S,).
        mode: ``train`` (statistics of the batch) or ``eval``, for all parts of the net; None: each
            module in the mode that it has.

    Raises:
        ValueError: for a loss that is no scalar or not finite, no parameter that requires grad,
            weights that are not finite, a gradient of zero, or steps that are not positive.

    Example:
        >>> net = nn.Linear(1, 1, bias=False, dtype=torch.float64)
        >>> _ = nn.init.ones_(net.weight)
        >>> x = torch.ones(1, 1, dtype=torch.float64)
        >>> found = measure_landscape(net, nn.MSELoss(), x, 0 * x, [0.25, 0.5])
        >>> found.losses.tolist(), found.effective_beta  # L(w) = w^2 has the second derivative 2
        ([0.25, 0.0], 2.0)
    """
    lengths = check_steps("steps", steps)
    losses, changes = [], []
    with probing(net, loss, mode) as probe:
        here, slopes, size = probe.start(x, y)
        for step in lengths:
            probe.move((-step, slopes))
            there, moved = probe.gradient(x, y)
            losses.append(there)
            changes.append(total_norm(torch._foreach_sub(moved, slopes)))
    found = as_array(losses), as_array(changes)
    return Landscape(lengths, float(here), size, *found, probe.mode, **by_gradient(net))
