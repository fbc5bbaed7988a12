"""The Runs of a race: nets that differ in their normalizer alone."""

from __future__ import annotations

from inspect import signature

from bnlab.lab.kit.points import EVALUATE_EVERY, GROUP_SIZE
from bnlab.norms import NoisyBatchNorm
from bnlab.train import Run

NORMS = {
    "none": {},
    "batch": {},
    "noisy_batch": {},
    "layer": {},
    "group": {"group_size": GROUP_SIZE},
    "instance": {},
}
"""The normalizers that a race may have, with their options."""


def race_run(
    norm: str,
    *,
    steps: int = 300,
    noise: float = 1.0,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    **setting: object,
) -> Run:
    """The Run of one net of a race: SGD with a constant learning rate.

    Args:
        norm: a key of ``NORMS``.
        steps: updates of the weights.
        noise: strength of the noise of ``noisy_batch``, in units of the paper's.
        momentum: of SGD; 0 is plain SGD.
        weight_decay: of SGD, on all parameters.
        **setting: further fields of a Run, such as ``lr``, ``batch_size``, ``depth``, ``seed``.
    """
    noises = _noises(noise) if norm == "noisy_batch" and noise != 1 else {}
    options = {**NORMS[norm], **noises}
    # What is 0 is left out: the same training, and the same Run as ever.
    of_sgd = {"momentum": momentum, "weight_decay": weight_decay}
    of_sgd = {name: value for name, value in of_sgd.items() if value}
    fixed = {"norm_options": options, "eval_every": EVALUATE_EVERY, "optimizer": "sgd"}
    fixed["optimizer_options"] = of_sgd
    return Run(norm=norm, steps=steps, **fixed, **setting)


def _noises(strength: float) -> dict[str, float]:
    # In the order of operations of kit/js/page_lane.js, so that the same bits come out.
    usual = {p.name: p.default for p in signature(NoisyBatchNorm).parameters.values()}
    return {
        "n_mu": strength * usual["n_mu"],
        "n_sigma": 1 + strength * (usual["n_sigma"] - 1),
        "r_mu": strength * usual["r_mu"],
        "r_sigma": strength * usual["r_sigma"],
    }
