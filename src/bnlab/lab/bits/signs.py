"""Binary nets in training, and their signs on a few fixed digits."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from bnlab.data import digits
from bnlab.engines.compiled.watch import LOOKED_AT, outputs_of
from bnlab.lab.kit.points import BLOCK, EVALUATE_EVERY, in_turns
from bnlab.lab.kit.widget import Content
from bnlab.nets import BinaryResNet
from bnlab.train import Run, make_trainer

EVERY = 10
"""Steps between two looks at the signs."""

LOOKED_BATCH = 32
"""Digits that are looked at together, in training mode: the first training images."""

CURVES = ("loss", "accuracy", "flips", "inside")
"""What is told of a net, [step, value] each: mean training loss of ``BLOCK`` steps, accuracy on the
validation images, share of the weights' signs that flipped since the last look, and share of what
signs are taken of that lies between -1 and 1, the mean of all layers."""


@functools.lru_cache(maxsize=1)
def probe() -> tuple[np.ndarray, np.ndarray]:
    """The digits that are looked at, and their labels; the signs of the first few are drawn."""
    data = digits()
    return data.train_x[:LOOKED_BATCH], data.train_y[:LOOKED_BATCH]


def binary_trainings(runs: Mapping[str, Run], engine: str = "torch") -> Iterator[Content]:
    """Name of a net and what is new about it, after every 10 steps; else None, after each step.

    New are the points of each of ``CURVES``, ``bits`` (see ``look``), ``step``, ``diverged_at`` and
    ``done``. The Runs are evaluated every 10 steps.
    """
    return in_turns({name: _lane(run, engine) for name, run in runs.items()})


def _lane(run: Run, engine: str) -> Iterator[dict[str, object] | None]:
    trainer, new, losses, before = make_trainer(run, engine, "cpu"), _nothing(), [], None
    for record in trainer.steps():
        new["step"] = record.step
        if record.diverged:
            yield {**new, "diverged_at": record.step, "done": True}
            return
        if record.step:
            losses.append(record.loss)
        if len(losses) == BLOCK:
            new["loss"].append([record.step, sum(losses) / BLOCK])
            losses.clear()
        if record.step % EVERY:
            yield None
            continue
        if record.step % EVALUATE_EVERY == 0 or record.step == run.steps:
            new["accuracy"].append([record.step, record.val_accuracy])
        bits, inside = look(trainer.net)
        new["inside"].append([record.step, sum(inside) / len(inside)])
        if before is not None:
            new["flips"].append([record.step, share_flipped(before["weights"], bits["weights"])])
        new["bits"] = {"now": bits, "before": before, "inside": inside, "step": record.step}
        before = bits
        if record.step < run.steps:
            yield new
            new = _nothing()
    yield {**new, "done": True}


def _nothing() -> dict[str, object]:
    lists = {name: [] for name in CURVES}
    return {**lists, "bits": None, "step": 0, "diverged_at": None, "done": False}


@torch.no_grad()
def look(net: BinaryResNet) -> tuple[dict[str, list[str]], list[float]]:
    """The signs of a net on the digits of ``probe``, and the shares between -1 and 1, by layer.

    ``signs`` are those that the layer takes of its inputs, for the first digits; ``weights`` those
    of its 3x3 filters. Each is a text of hexadecimal digits, a bit being 1 for plus.
    """
    other = copy.deepcopy(net).train()  # whose running statistics may move
    with outputs_of(other) as outputs:
        other(torch.tensor(probe()[0]))
    inside = [(output.abs() < 1).double().mean().item() for output in outputs]
    signs = [hexadecimal(output[:LOOKED_AT] >= 0) for output in outputs]
    weights = [hexadecimal(_filters(block.conv) >= 0) for block in other.blocks]
    return {"signs": signs, "weights": weights}, inside


def _filters(conv: torch.nn.Module) -> Tensor:
    weight = conv.weight.double()
    return weight - weight.mean((1, 2, 3), keepdim=True) if conv.standardized else weight


def hexadecimal(bits: Tensor) -> str:
    """A text for some bits, four a digit."""
    return np.packbits(bits.flatten().numpy()).tobytes().hex()


def share_flipped(before: list[str], now: list[str]) -> float:
    """How many of all bits differ between two looks."""
    one, other = (int("".join(texts), 16) for texts in (before, now))
    return (one ^ other).bit_count() / (4 * sum(map(len, now)))
