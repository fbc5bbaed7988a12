"""Where the state of a net starts, as rules that JavaScript can follow.

Each rule is for the next stretch of a vector:

    ["weights", count, stream, bound]   bound * (2 u - 1), u from the random stream; see nets.init
    ["filters", count, stream, bound]   the same, of binary layers; a page may start them elsewhere
    ["gamma", count, value]             weights of normalizers; a page may start them elsewhere
    ["fill", count, value]              anything else
    ["noise", layer], ["count"]         a key of the noise of a layer; a counter that starts at 0
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from bnlab import random
from bnlab.engines.compiled.nets import Net
from bnlab.engines.compiled.step import State
from bnlab.nets.binarize import FilterConv
from bnlab.nets.dropout import drawing
from bnlab.norms import Normalizer
from bnlab.norms.noise import key_of

CHECKED_SEEDS = (0, 7)


def rules(net: nn.Module) -> dict[str, list]:
    """Rules for the vectors params, buffers and counters of ``net``."""
    state, matrices = State.of(net), _matrices(net)
    tensors = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    gammas = {f"{n}.weight" for n, m in net.named_modules() if isinstance(m, Normalizer)}
    filters = {f"{n}.weight" for n, m in net.named_modules() if _is_binary(m)}
    noisy = list(drawing(net))

    def rule(name: str) -> list:
        tensor = tensors[name].detach()
        if name in matrices:
            kind = "filters" if name in filters else "weights"
            return [kind, tensor.numel(), *matrices[name]]
        if name.endswith("noise_key"):
            return ["noise", noisy.index(name.rpartition(".")[0])]
        if not tensor.is_floating_point():
            return ["count"]
        kind = "gamma" if name in gammas else "fill"
        return [kind, tensor.numel(), tensor.flatten()[0].item()]

    parts = {"params": state.params, "buffers": state.buffers, "counters": state.counters}
    return {part: [rule(name) for name in packing.names] for part, packing in parts.items()}


def _matrices(net: nn.Module) -> dict[str, tuple[int, float]]:
    # As bnlab.nets.init.initialize: stream and bound of each matrix.
    named = [(n, m) for n, m in net.named_modules() if isinstance(_weight(m), Tensor)]
    named = [(n, m) for n, m in named if m.weight.ndim >= 2]
    last = len(named) - 1
    return {
        f"{name}.{_trained(module)}": (
            random.WEIGHTS + k,
            math.sqrt((3.0 if k == last else 6.0) / module.weight[0].numel()),
        )
        for k, (name, module) in enumerate(named)
    }


def _is_binary(module: nn.Module) -> bool:
    return isinstance(module, FilterConv) and module.binary


def _weight(module: nn.Module) -> object:
    return getattr(module, "weight", None)  # of a dict of parametrizations, one of these


def _trained(module: nn.Module) -> str:
    """The name of the tensor that is trained: of a computed weight, what it is computed from."""
    if parametrize.is_parametrized(module, "weight"):
        return "parametrizations.weight.original"
    return "weight"


def start(rule_sets: dict[str, list], seed: int, noise_seed: int = 0) -> dict[str, np.ndarray]:
    """The vectors that the rules give: float32, and int32 for the counters."""
    return {
        part: np.concatenate([_numbers(r, seed, noise_seed) for r in rule_set] or [np.zeros(0)])
        for part, rule_set in rule_sets.items()
    }


def _numbers(rule: list, seed: int, noise_seed: int) -> np.ndarray:
    kind, *values = rule
    if kind in ("weights", "filters"):
        count, stream, bound = values
        return ((2 * random.uniform(seed, stream, count) - 1) * bound).astype(np.float32)
    if kind == "noise":
        key = key_of((noise_seed + seed) % 2**32, random.NOISE + values[0])
        return np.array([key.item()], np.int32)
    if kind == "count":
        return np.zeros(1, np.int32)
    return np.full(values[0], values[1], np.float32)


def checked(net: Net) -> dict[str, list]:
    """The rules of ``net``, after a comparison with modules of several seeds.

    Raises:
        RuntimeError: if the rules do not give the same bits.
    """
    made = rules(net.module())
    for seed in CHECKED_SEEDS:
        module = net.module(seed).to(torch.float32)
        vectors = State.of(module).vectors(module)
        for mine, theirs in zip(start(made, seed).values(), vectors, strict=True):
            if mine.astype(theirs.numpy().dtype).tobytes() != theirs.numpy().tobytes():
                raise RuntimeError(f"the initial state of {net.key} follows no rule.")
    return made
