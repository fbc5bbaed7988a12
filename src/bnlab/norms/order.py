"""The order in which a model uses its modules, which need not be that of their registration."""

from __future__ import annotations

import copy
import itertools
import weakref
from dataclasses import dataclass

import torch
from torch import fx, nn
from torch.nn import functional

from bnlab.norms.batches import Batch, call
from bnlab.norms.kept import kept_buffers
from bnlab.norms.replace import is_norm, looks_like_a_norm

IN_ORDER = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
NAMES = ("batch_norm", "group_norm", "instance_norm", "layer_norm", "normalize", "rms_norm")
FUNCTIONS = {
    getattr(where, name) for where in (functional, torch) for name in NAMES if hasattr(where, name)
}
Place = tuple[int, int]


@dataclass(frozen=True)
class Order:
    """When the modules of a model are used.

    Attributes:
        first: the first use of each module that is used, by name.
        last: its last use.
        functions: the uses of functions that normalize.
    """

    first: dict[str, Place]
    last: dict[str, Place]
    functions: tuple[Place, ...] = ()


def order_of_use(model: nn.Module, inputs: Batch | None = None) -> Order | None:
    """The order in which ``model`` uses its modules; None if it cannot be told.

    It is that of registration in Sequential and in the nets of bnlab, and what happens in one
    forward pass with ``inputs``, if there are any; else what ``torch.fx`` finds, which cannot
    follow every model. A module inside of one that is only seen as a whole has its place.

    Args:
        model: any module; it stays as it is.
        inputs: a batch, as ``recompute_statistics`` takes it.
    """
    names = [name for name, _ in model.named_modules()]
    if inputs is not None:
        return _order(names, _seen(model, inputs), [])
    if _is_in_order(model):
        return _order(names, [[""]], [])
    known = _traced.get(model)
    if known is None or known[0] != names:
        known = _traced[model] = (names, _by_tracing(model, names))
    return known[1]


_traced: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _is_ours(module: nn.Module) -> bool:
    return type(module).__module__.startswith("bnlab.")


def _is_in_order(model: nn.Module) -> bool:
    if _is_ours(model):
        return True
    if is_norm(model) or not any(True for _ in model.children()):
        return True
    return isinstance(model, IN_ORDER) and all(map(_is_in_order, model.children()))


def _order(names: list[str], uses: list[list[str]], functions: list[int]) -> Order:
    # A module without a use of its own has that of the nearest module around it.
    first, last = {}, {}
    of: dict[str, list[int]] = {}
    for k, used in enumerate(uses):
        for name in used:
            of.setdefault(name, []).append(k)
    for index, name in enumerate(names):
        around = name
        while around not in of and around:
            around = around.rpartition(".")[0]
        if around in of and (around or not name or [""] in uses):
            first[name], last[name] = (of[around][0], index), (of[around][-1], index)
    return Order(first, last, tuple((k, -1) for k in functions))


def _seen(model: nn.Module, inputs: Batch) -> list[list[str]]:
    names: dict[nn.Module, list[str]] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        names.setdefault(module, []).append(name)
    uses: list[list[str]] = []
    whole = [m for m in names if not any(True for _ in m.children()) or is_norm(m)]
    whole += [m for m in names if isinstance(m, nn.MultiheadAttention)]
    hooks = [
        module.register_forward_pre_hook(lambda module, _: uses.append(names[module]))
        for module in dict.fromkeys(whole)
    ]
    # With gradients: without them a transformer of torch may use one kernel and no module.
    try:
        with kept_buffers(model), torch.random.fork_rng(_devices(model)), torch.enable_grad():
            call(model, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return uses


def _devices(model: nn.Module) -> list[int]:
    return sorted({p.device.index for p in model.parameters() if p.is_cuda})


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        of_torch = type(module).__module__.startswith("torch.nn") and not isinstance(
            module, IN_ORDER
        )
        return of_torch or _is_ours(module) or is_norm(module) or looks_like_a_norm(module)


def _by_tracing(model: nn.Module, names: list[str]) -> Order | None:
    try:
        nodes = list(_Tracer().trace(copy.deepcopy(model)).nodes)
    except Exception:  # of any kind: forward is the model's own, and it sees no numbers
        return None
    uses, functions = [], []
    for node, k in zip(nodes, itertools.count()):
        uses.append([str(node.target)] if node.op == "call_module" else [])
        if node.op == "call_function" and node.target in FUNCTIONS:
            functions.append(k)
    whole = [n for used in uses for n in used if n and _is_mixed(model.get_submodule(n))]
    return None if whole else _order(names, uses, functions)


def _is_mixed(module: nn.Module) -> bool:
    # A layer of torch that has normalizers and others in an order of its own.
    if _is_ours(module) or is_norm(module):
        return False
    return any(map(is_norm, module.modules()))
