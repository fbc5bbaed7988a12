"""What is seen of a training: its end, the step at which one would have stopped, and the way there.

The gradient is that of the loss over all training images, by all weights and biases, as the loss
has it: before LAWN or weight decay does anything to it. Its *tangent part* lacks, in each matrix of
weights, the component along the matrix itself, which is what LAWN takes away.
"""

from __future__ import annotations

import torch

from bnlab.engines.engine import Engine
from bnlab.optim import constrained_weights, tangent
from bnlab.train import threads
from bnlab.verdicts.tuning import CHANCE, GUESS

ENDS = ("val", "test", "train", "loss", "stopped_val", "stopped_test", "stopped_at", "diverged_at")
"""Accuracies at the end; training loss at the end; accuracies at the step with the best validation
accuracy, the first of equal ones, and that step as a share of the training; step of divergence."""

SEEN = ("step", "weights", "logits", "loss", "gradient", "tangent", "moved", "val", "test")
"""At each look: norm of all matrices of weights; mean size of the logits and loss of the training
images; norm of the gradient, and of its tangent part; how far the matrices moved since the look
before, over their norm; accuracies."""


@threads(1)
def ended(trainer: Engine) -> list:
    """Train; a number for each of ``ENDS``. A net that diverged counts as a guess."""
    stopped, record = [-1.0, 0.0, 0.0], None
    for record in trainer.steps():
        if record.val_accuracy is not None and record.val_accuracy > stopped[0]:
            share = record.step / trainer.run.steps
            stopped = [record.val_accuracy, trainer.test_accuracy(), share]
    if record.diverged:
        return [CHANCE] * 3 + [GUESS] + [_short(one) for one in stopped] + [record.step]
    loss, train = trainer.evaluate(*trainer.part("train"))
    _, val = trainer.evaluate(*trainer.part("val"))
    found = [val, trainer.test_accuracy(), train, loss, *stopped]
    return [*(_short(one) for one in found), None]


@threads(1)
def watched(trainer: Engine) -> dict[str, list[float]]:
    """Train a net in PyTorch; a list for each of ``SEEN``, an entry a look, the first at step 0."""
    weights = constrained_weights(trainer.net)
    seen: dict[str, list[float]] = {name: [] for name in SEEN}
    before = None
    for record in trainer.steps():
        if record.val_accuracy is None:
            continue
        now = torch.cat([one.detach().flatten() for one in weights])
        moved = 0.0 if before is None else float((now - before).norm() / now.norm())
        before = now
        of_loss = _gradient(trainer, weights)
        found = [record.step, float(now.norm()), *of_loss, moved]
        found += [record.val_accuracy, trainer.test_accuracy()]
        for name, value in zip(SEEN, found, strict=True):
            seen[name].append(_short(value))
    return seen


def _gradient(trainer: Engine, weights: list[torch.Tensor]) -> tuple[float, float, float, float]:
    """Mean size of the logits, loss, norm of the gradient and of its tangent part."""
    x, y = trainer.part("train")
    logits = trainer.net(x)
    loss = trainer.loss(logits, y)
    gradients = torch.autograd.grad(loss, list(trainer.net.parameters()))
    by_weight = dict(zip(trainer.net.parameters(), gradients, strict=True))
    across = [tangent(by_weight[one], one.detach()) for one in weights]
    others = [g for p, g in by_weight.items() if all(p is not one for one in weights)]
    sizes = (_norm(gradients), _norm([*across, *others]))
    return float(logits.detach().abs().mean()), float(loss.detach()), *sizes


def _norm(parts: list[torch.Tensor] | tuple[torch.Tensor, ...]) -> float:
    return float(torch.cat([part.flatten() for part in parts]).norm())


def _short(value: float) -> float:
    return float(f"{value:.5g}")
