"""The nets and trainings of M1 and M4 on CIFAR-10: small ones, trained as the official code does.

SGD with momentum and weight decay, crops and flips, and a rate that rises at first and falls to a
tenth three times, at the official shares of the training.
"""

from __future__ import annotations

from bnlab.chapters.mimicnorm.trainings import METHODS, START
from bnlab.train import Run

MILESTONES = (80 / 150, 110 / 150, 135 / 150)
"""Epochs of the official code, of 150, after which the rate falls to a tenth."""


def base(steps: int, warmup: int) -> Run:
    """What all trainings share; without an arm's fields it is a small VGG without normalizers."""
    return Run(
        data="cifar10",
        image_size=16,
        augment="crop_flip",
        net="plain",
        net_options={"downsample": "max_pool"},
        depth=6,
        width=16,
        optimizer_options={"momentum": 0.9, "weight_decay": 5e-4},
        schedule="steps",
        schedule_options={"warmup": warmup, "milestones": list(MILESTONES)},
        batch_size=64,
        steps=steps,
        eval_every=steps,
    )


RESIDUAL = {"net": "resnet", "depth": 3, "net_options": {}}


def plain(method: str) -> dict[str, object]:
    """The fields of a method in the small VGG, which starts as MimicNorm's official code does."""
    fields = METHODS[method]
    if method in ("batch", "none"):
        return dict(fields)
    return {**fields, "method_options": {**fields.get("method_options", {}), **START}}


def residual(method: str) -> dict[str, object]:
    """The fields of a method in the residual net."""
    return {**RESIDUAL, **METHODS[method]}
