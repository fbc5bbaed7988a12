"""Adaptive gradient clipping: no unit's gradient may be large against the unit's own weights."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.norms.order import order_of_use
from bnlab.norms.weight.eligible import weighted_layers
from bnlab.norms.weight.filters import from_filters, is_transposed, to_filters

PARAMETRIZED = ".parametrizations."


def unit_norms(x: Tensor) -> Tensor:
    """Euclidean norm of each row ``x[i]``, shaped to broadcast; of all of ``x`` with one axis.

    At least float32: sums of many squares need more digits than half precision has.
    """
    dims = tuple(range(1, x.ndim)) if x.ndim > 1 else None
    dtype = torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else None
    return torch.linalg.vector_norm(x, dim=dims, keepdim=x.ndim > 1, dtype=dtype)


@checked
def clip_units(grad: Tensor, weight: Tensor, clip: float = 0.01, eps: float = 1e-3) -> Tensor:
    r"""The gradient of one tensor, clipped a unit at a time.

        G_i <- G_i * clip * n_i / ||G_i||   where ||G_i|| > clip * n_i,   n_i = max(||W_i||, eps).

    A unit i is a row ``weight[i]``: a filter, with its weights stored (outputs, ...). A tensor of
    one axis or none (a bias) is one unit, whose norm is that of the whole tensor. The floor eps
    lets weights that are zero move.

    Source: Brock et al. 2021, arXiv 2102.06171, equation 3.

    Args:
        grad: G.
        weight: W, of the same shape.
        clip: lambda. 0.01 in the paper for batches of 4096; smaller batches bear larger values.
        eps: floor of the weights' norms.

    Returns:
        A new tensor.
    """
    largest = clip * unit_norms(weight).clamp(min=eps)
    norm = unit_norms(grad)
    # Divided only where it is used: 0 / 0 of a gradient of zeros must not reach it.
    factor = torch.where(norm > largest, largest / norm.clamp(min=torch.finfo(norm.dtype).tiny), 1)
    return (grad * factor).to(grad.dtype)


@checked
@torch.no_grad()
def adaptive_clip_grad(
    model: nn.Module,
    clip: float = 0.01,
    eps: float = 1e-3,
    exclude: str | Iterable[str] = "last",
) -> tuple[str, ...]:
    """Clip the gradients of ``model`` in place, a unit at a time; call it before the step.

    Units are outputs: for transposed and grouped convolutions too, and for the ``Conv1D`` of
    transformers, which stores (inputs, outputs). Parameters without a gradient are left out.

    How a gain is shaped decides what its units are, as in the codes that this follows: the gains of
    a binary net, (C, 1, 1, 1), are C units, and those of timm's standardized convolutions too; the
    official NFNet code keeps them as (C,), one unit.

    Source: Brock et al. 2021, arXiv 2102.06171, section 4, as in the code of the authors and of
    timm; both take axis 0 as the units of a transposed convolution, where its inputs lie.

    Args:
        model: any module, after ``backward``.
        clip: lambda, see ``clip_units``.
        eps: floor of the weights' norms.
        exclude: ``last`` leaves out the last Linear of the model, weight and bias, as the paper
            does, in order of use where that can be told, else of registration; or name patterns of
            parameters, such as ``["fc.*"]``; ``[]`` clips all.

    Returns:
        The names of the parameters that were looked at.

    Raises:
        ValueError: for a clip that is not positive, a negative eps, a pattern that matches nothing,
            ``last`` for a model whose last layer is not a Linear, a sparse gradient that is not
            one of rows, or if no parameter has a gradient.
    """
    if not _is_number(clip) or not 0 < clip < math.inf:
        raise ValueError(f"clip must be a positive number, got {clip!r}.")
    if not _is_number(eps) or not 0 <= eps < math.inf:
        raise ValueError(f"eps must be zero or a positive number, got {eps!r}.")
    left_out = _left_out(model, exclude)
    taken = {
        name: parameter
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and name not in left_out
    }
    if not taken:
        raise ValueError(
            "no parameter has a gradient to clip. Call loss.backward() first, and leave some "
            f"parameter in (exclude={exclude!r})."
        )
    for name, parameter in taken.items():
        if parameter.grad.is_sparse:
            parameter.grad = _clipped_rows(name, parameter, clip, eps)
        else:
            parameter.grad.copy_(_clipped(model, name, parameter, clip, eps))
    return tuple(taken)


def _clipped_rows(name: str, p: nn.Parameter, clip: float, eps: float) -> Tensor:
    # Of an Embedding with sparse=True: the rows that were looked up are the units.
    if p.grad.sparse_dim() != 1:
        raise ValueError(f"{name} has a sparse gradient that is not one of rows; exclude it.")
    grad = p.grad.coalesce()
    rows = clip_units(grad.values(), p[grad.indices()[0]], clip, eps)
    known = {"is_coalesced": True, "check_invariants": False}
    return torch.sparse_coo_tensor(grad.indices(), rows, grad.shape, **known)


def _clipped(model: nn.Module, name: str, p: nn.Parameter, clip: float, eps: float) -> Tensor:
    # "conv.weight" and "conv.parametrizations.weight.original" both belong to "conv".
    own, is_computed, _ = f".{name}".partition(PARAMETRIZED)
    path = own if is_computed else own.rpartition(".")[0]
    layer = model.get_submodule(path.removeprefix("."))
    if _outputs_last(layer) and p.ndim == 2:
        return clip_units(p.grad.T, p.T, clip, eps).T
    if not is_transposed(layer) or p.shape != layer.weight.shape:
        return clip_units(p.grad, p, clip, eps)
    kind = layer.groups, True
    filters = clip_units(to_filters(p.grad, *kind), to_filters(p, *kind), clip, eps)
    return from_filters(filters, *kind)


def _outputs_last(layer: nn.Module) -> bool:
    """Whether it is the Conv1D of transformers, a linear layer with weights (inputs, outputs)."""
    kinds = [kind for kind in type(layer).__mro__ if kind.__name__ == "Conv1D"]
    return any(kind.__module__.startswith("transformers.") for kind in kinds)


def _left_out(model: nn.Module, exclude: str | Iterable[str]) -> set[str]:
    names = [name for name, _ in model.named_parameters()]
    if exclude == "last":
        head = {id(parameter) for parameter in _head(model).parameters()}
        return {name for name, p in model.named_parameters() if id(p) in head}
    patterns = [exclude] if isinstance(exclude, str) else list(exclude)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ValueError(
                f"exclude has {pattern!r}, which matches no parameter. There are: "
                f"{', '.join(names)}."
            )
    return {name for name in names if any(fnmatchcase(name, p) for p in patterns)}


def _head(model: nn.Module) -> nn.Module:
    layers, order = weighted_layers(model), order_of_use(model)
    names = list(layers)
    if order is not None:
        names = sorted(set(layers) & set(order.last), key=order.last.get)
    if not names or not isinstance(layers[names[-1]], nn.Linear):
        found = f"{names[-1]!r} ({type(layers[names[-1]]).__name__})" if names else "none"
        raise ValueError(
            f"exclude='last' leaves out a last Linear, and the last layer here is {found}. Say "
            "which parameters not to clip, exclude=['head.*'], or clip all, exclude=[]."
        )
    return layers[names[-1]]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
