"""The largest stable learning rate of a net."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.measure.kit.arguments import check_mode, check_trainable, check_weights
from bnlab.measure.kit.coverage import by_gradient
from bnlab.measure.kit.forward_state import ForwardState
from bnlab.measure.kit.inputs import check_inputs, check_targets, forward
from bnlab.measure.kit.loss import Loss, check_start, loss_of, scalar
from bnlab.measure.kit.measuring import measuring
from bnlab.measure.kit.slopes import slopes_of
from bnlab.measure.landscape.probe import trained_parameters
from bnlab.measure.rates.bisection import (
    RULES,
    StableRate,
    Trial,
    broken_by,
    check_search,
    judge,
    search,
)
from bnlab.runs.history import DIVERGED

Batch = tuple[object, object]
MakeOptimizer = Callable[..., torch.optim.Optimizer]


@checked
def measure_stable_rate(
    net: nn.Module,
    loss: Loss,
    batches: Sequence[Batch],
    low: float = 1e-4,
    high: float = 1e2,
    steps: int = 15,
    rules: Sequence[str] = RULES,
    tolerance: float = 1.05,
    bound: float = DIVERGED,
    optimizer: MakeOptimizer | None = None,
    mode: str | None = None,
) -> StableRate:
    r"""The largest learning rate at which ``net`` can be trained for ``steps`` updates.

    For each rate the net is trained on the batches in turn, from its own weights. Both definitions:
    ``rise``, no update raises the loss of its own batch; ``divergence``, no loss exceeds ``bound``
    times the first, nor stops being finite. See ``bisect_rate`` for the search. All rates see the
    same batches and the same noise (dropout, ``noisy_batch``), which changes from step to step but
    is the same before and after an update: no loss rises by chance.

    A bounded loss, or a net whose last layer is normalized, may diverge at no rate at all: then
    the bracket is open (``unstable`` is None).

    Args:
        net: any module whose output ``loss`` takes; it stays as it was.
        loss: from output and target to a tensor of shape ().
        batches: pairs of inputs and targets, several inputs as a tuple, or by name as a dict; one
            pair is gradient descent on the full batch.
        low: smallest rate.
        high: largest rate.
        steps: number of updates.
        rules: which of ``rise`` and ``divergence``.
        tolerance: largest ratio unstable / stable at the end, above 1.
        bound: a loss beyond this many times the first has diverged.
        optimizer: None for plain gradient descent; else called with parameters and ``lr=rate``,
            such as ``functools.partial(torch.optim.SGD, momentum=0.9)`` for heavy ball.
        mode: ``train`` (statistics of the batch) or ``eval``, for all parts of the net; None: each
            module in the mode that it has.

    Raises:
        ValueError: for numbers out of range, no batches, unknown rules, a loss that is no scalar or
            not finite at the start, no parameter that requires grad, or weights that are not
            finite.

    Example:
        >>> net = nn.Linear(1, 1, bias=False)  # L(w) = w^2: stable below 2 / 2
        >>> _ = nn.init.ones_(net.weight)
        >>> x = torch.ones(1, 1)
        >>> found = measure_stable_rate(net, nn.MSELoss(), [(x, 0 * x)], tolerance=1.01)
        >>> found.rise.stable <= 1.0 <= found.rise.unstable
        True
    """
    check_search(low, high, rules, tolerance, bound)
    check_mode(mode)
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise ValueError(f"steps must be a positive integer, got {steps!r}.")
    pairs = _pairs(batches)
    check_trainable(net)
    check_weights(net)
    with measuring(net, mode):
        start = ForwardState(net)
        weights = [p.detach().clone() for p in net.parameters()]
        restless = _restless(net, loss, pairs[0])

        def try_out(rate: float) -> Trial:
            start.restore()
            with torch.no_grad():
                torch._foreach_copy_(list(net.parameters()), weights)
            net.zero_grad()
            descent = Descent(net, loss, optimizer, rate, restless)
            return descent.trial(pairs, steps, rules, bound)

        found = search(try_out, low, high, rules, tolerance, bound)
    return dataclasses.replace(found, **by_gradient(net))


class Descent:
    """One net trained at one rate, for a ``Trial``.

    Args:
        net: is changed.
        loss: from output and target to a tensor of shape ().
        make_optimizer: called with parameters and ``lr``; None for gradient descent.
        rate: the learning rate.
        restless: whether the loss changes from look to look though the weights do not. Then each
            update is judged under the noise that it was made for, with a forward pass of its own.
    """

    def __init__(
        self,
        net: nn.Module,
        loss: Loss,
        make_optimizer: MakeOptimizer | None,
        rate: float,
        restless: bool,
    ) -> None:
        self.net, self.loss, self.rate, self.restless = net, loss, rate, restless
        self.parameters = list(trained_parameters(net).values())
        self.optimizer = make_optimizer and make_optimizer(self.parameters, lr=rate)

    def trial(
        self, batches: Sequence[Batch], steps: int, rules: Sequence[str], bound: float
    ) -> Trial:
        """Train until ``steps`` or until all rules are broken."""
        before: list[float] = []
        after: list[float] = []
        broken: set[str] = set()
        value = None
        # On one batch, the look after an update is the look before the next one.
        one_look = len(batches) == 1 and not self.restless
        for step in range(steps):
            batch = batches[step % len(batches)]
            state = ForwardState(self.net) if self.restless else None
            if value is None:
                value = self.look(*batch)
                before.append(value.item())
            else:
                before.append(after[-1])
            self.update(value)
            again = one_look and step + 1 < steps
            value = self.look_again(state, batch) if state else self.look(*batch, gradient=again)
            after.append(value.item())
            broken |= broken_by(before[-1], after[-1], before[0], bound)
            if broken.issuperset(rules):  # nothing that is still to come can change the answer
                break
            value = value if again else None
        return judge(self.rate, np.array(before), np.array(after), bound)

    def look_again(self, state: ForwardState, batch: Batch) -> Tensor:
        """The loss where the weights are now, under the noise of an earlier state."""
        now = ForwardState(self.net)
        state.restore()
        value = self.look(*batch, gradient=False)
        now.restore()
        return value

    def look(self, x: object, y: object, gradient: bool = True) -> Tensor:
        """The loss where the weights are now."""
        with torch.set_grad_enabled(gradient):
            return scalar(loss_of(self.loss, forward(self.net, x), y))

    def update(self, value: Tensor) -> None:
        """Take one step of the optimizer down the gradient of ``value``."""
        if not value.requires_grad:
            raise ValueError("the loss does not depend on any parameter that requires a gradient.")
        slopes = slopes_of(value, self.parameters)
        if self.optimizer is None:
            with torch.no_grad():
                torch._foreach_add_(self.parameters, slopes, alpha=-self.rate)
            return
        for parameter, slope in zip(self.parameters, slopes, strict=True):
            parameter.grad = slope
        self.optimizer.step()


def _pairs(batches: Iterable[Batch]) -> list[Batch]:
    if isinstance(batches, Tensor):
        raise ValueError("batches must be a list of pairs (inputs, targets), such as [(x, y)].")
    pairs = [tuple(batch) for batch in batches]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise ValueError(
            "batches must hold at least one pair (inputs, targets), such as [(x, y)], and only "
            "pairs."
        )
    for x, y in pairs:
        check_inputs(x)
        check_targets(y)
    return pairs


@torch.no_grad()
def _restless(net: nn.Module, loss: Loss, batch: Batch) -> bool:
    x, y = batch
    first = scalar(loss_of(loss, forward(net, x), y))
    check_start(first)
    return bool(first != loss_of(loss, forward(net, x), y))
