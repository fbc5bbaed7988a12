"""M2 of Fei 2020: how many bytes the forward pass keeps for the backward pass.

Counted are the tensors that autograd holds, which is the same number on every device and for every
seed; the seeds are there because a verdict asks for them. What a layer keeps depends on its
kernel: torch's fused BatchNorm keeps its input and two numbers a channel, BatchNorm written in
single operations keeps what each of them needs. So both are measured, in a residual and in a plain
net. What the paper reads is the memory of a GPU in use; on CUDA the peak of a step is kept too.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch.nn.functional import cross_entropy

from bnlab.chapters.signals.b3_to_b6_l1_at_start import batch
from bnlab.measure import measure_memory
from bnlab.methods import mimic
from bnlab.train import Run, build, threads
from bnlab.verdicts.table import Table
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(836, 844))
BASE = Run(net="resnet", depth=8, width=16, norm="batch", batch_size=64)
NETS = {"residual": {}, "plain": {"net": "plain", "depth": 12}}
KERNELS = {"fused": True, "single": False}
METHODS = ("batch", "mimic", "parametrization", "none")
"""MimicNorm projects the weights after a step, as the official code does; by parametrization the
centred weights are kept too. Without a normalizer the branches have no scalars either."""

COLUMNS = ("net", "kernels", "method", "seed", "saved", "weights", "by_kind", "peak")
NOT_MEASURED = "not measured"
COPIES = 3  # weights, their gradients, and the momentum of the optimizer


def measure(seeds: Sequence[int] = SEEDS, work: Work = HERE, device: str = "cpu") -> dict:
    """Bytes kept by one step of each net, with each kernel and method, from its start.

    Args:
        seeds: of weights and images; the bytes do not depend on them.
        work: does the steps.
        device: on CUDA ``peak`` is measured too.
    """
    plan = [(*one, device) for one in itertools.product(NETS, KERNELS, METHODS, seeds)]
    return {
        "base": BASE.to_dict(),
        "seeds": list(seeds),
        "columns": list(COLUMNS),
        "rows": work.starmap(_row, plan),
    }


@threads(1)
def _row(net: str, kernels: str, method: str, seed: int, device: str) -> list:
    model = made(net, kernels, method, seed).to(device)
    x, y = (part.to(device) for part in batch(seed, BASE.batch_size))
    found = measure_memory(model, cross_entropy, x.float(), y, mode="train")
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    return [net, kernels, method, seed, found.saved, weights, found.by_kind, found.peak]


def made(net: str, kernels: str, method: str, seed: int) -> torch.nn.Module:
    """The net with a normalizer or with what takes its place."""
    native = {"native": KERNELS[kernels]}
    of = BASE.replace(**NETS[net], seed=seed, norm_options=native)
    if method == "none":
        return build(of.replace(norm="none", norm_options={}))
    if method == "batch":
        return build(of)
    way = "parametrization" if method == "parametrization" else "projection"
    return mimic(build(of), weight_mean=way, **native)


def column(data: dict, net: str, kernels: str, method: str, name: str = "saved") -> list:
    """One number a seed."""
    table = Table.of(data).where(net=net, kernels=kernels, method=method)
    return table.entries(name, seed=data["seeds"])


def values(data: dict) -> dict:
    """The effects of M2, one number a seed: which share of BatchNorm's bytes MimicNorm saves."""
    return {
        f"{net}_{kernels}": saved(data, net, kernels, "mimic")
        for net in NETS
        for kernels in KERNELS
    }


def saved(data: dict, net: str, kernels: str, method: str) -> object:
    """The share of BatchNorm's bytes that a method saves, (seeds,)."""
    of = Table.of(data).where(net=net, kernels=kernels)
    batch_norm, other = (
        of.where(method=one).column("saved", seed=data["seeds"]) for one in ("batch", method)
    )
    return 1 - other / batch_norm


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: KiB kept, and per cent saved, by net, kernels and method."""
    found: dict[str, object] = {"seeds": len(data["seeds"]), "batch_size": BASE.batch_size}
    for net, kernels in itertools.product(NETS, KERNELS):
        end = f"{net}_{kernels}"
        for method in METHODS:
            found[f"kept_{method}_{end}"] = column(data, net, kernels, method)[0] / 1024
            found[f"saved_{method}_{end}"] = 100 * saved(data, net, kernels, method)[0]
        found[f"whole_{end}"] = 100 * _whole(data, net, kernels)
        kinds = column(data, net, kernels, "batch", "by_kind")[0]
        found[f"norms_{end}"] = 100 * _of_norms(kinds) / sum(kinds.values())
    found["scalars"] = found["saved_none_residual_fused"] - found["saved_mimic_residual_fused"]
    peaks = [column(data, "residual", "fused", one, "peak")[0] for one in ("batch", "mimic")]
    is_measured = None not in peaks
    found["peak"] = f"{100 * (1 - peaks[1] / peaks[0]):.0f} %" if is_measured else NOT_MEASURED
    return found


def _of_norms(kinds: dict[str, int]) -> int:
    return sum(size for kind, size in kinds.items() if "Norm" in kind)


def _whole(data: dict, net: str, kernels: str) -> float:
    """The share saved of all that a training holds: kept tensors, weights, gradients, momentum."""
    batch_norm, mimic_norm = (
        column(data, net, kernels, one)[0] + COPIES * column(data, net, kernels, one, "weights")[0]
        for one in ("batch", "mimic")
    )
    return 1 - mimic_norm / batch_norm
