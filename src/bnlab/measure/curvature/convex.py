"""Whether a loss is convex in the output of a net, at one output."""

from __future__ import annotations

import torch
from torch import Tensor

from bnlab import random

WIDEST = 1000  # numbers a sample; a block of the second derivative has the square of it


def is_convex(slope: Tensor, output: Tensor) -> bool:
    """Whether the second derivative of a loss by the output has no negative eigenvalue.

    A loss that is a sum over samples has one block for each of them, and all blocks follow from as
    many products as a sample has numbers. That no sample depends on another is checked with one
    product more. Exact up to rounding; cheap, as nothing passes through the net.

    Args:
        slope: gradient of the loss by ``output``, with its graph.
        output: a leaf, samples first.

    Returns:
        False also where it cannot be told: for a loss that couples samples, and for more than 1000
        numbers a sample.
    """
    if not slope.requires_grad:  # a loss that is linear in the output
        return True
    rows = output.detach().reshape(len(output), -1)
    if rows.shape[1] > WIDEST:
        return False

    def times(v: Tensor) -> Tensor:
        (out,) = torch.autograd.grad(
            slope, output, v.reshape(output.shape), retain_graph=True, allow_unused=True
        )
        return torch.zeros_like(rows) if out is None else out.reshape(rows.shape)

    with torch.enable_grad():
        columns = [times(row.expand_as(rows)) for row in torch.eye(rows.shape[1]).to(rows)]
        mixed = torch.from_numpy(random.uniform(0, random.START, rows.numel()) - 0.5)
        mixed = mixed.reshape(rows.shape).to(rows)
        together = times(mixed)
    blocks = torch.stack(columns, 2)
    rounding = 10 * torch.finfo(rows.dtype).eps * float(blocks.abs().max())
    alone = (blocks @ mixed[..., None])[..., 0]
    if not (together - alone).abs().max() <= rounding * rows.shape[1]:
        return False
    shift = (rounding + 1e-300) * torch.eye(len(columns), dtype=torch.float64, device=rows.device)
    return all(int(torch.linalg.cholesky_ex(block.double() + shift).info) == 0 for block in blocks)
