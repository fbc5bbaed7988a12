"""What is known of the subnets of a supernet without training them: cost, score, statistics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from bnlab.nets.supernet import MBConv, Supernet
from bnlab.norms import recompute_statistics

PARTS = ("last", "all")


def _chosen(table: list[list[float]], net: Supernet, path: Sequence[int]) -> list[float]:
    return [row[op] for row, op in zip(table, net.check_path(path), strict=True)]


# Score


def indicator_table(net: Supernet) -> list[list[float]]:
    r"""Mean scales mean_c |weight_c| of the last normalizer of every operation; 0 for the identity.

    One row a choice block, one number an operation. The indicator of any path is a sum of them, so
    that scoring a path takes no forward pass.

    Raises:
        ValueError: if the normalizers have no weights.
    """
    return [[_strength(op) for op in choice] for choice in net.choices]


def _strength(op: nn.Module) -> float:
    if isinstance(op, nn.Identity):
        return 0.0
    weight = getattr(op.norm3, "weight", None)
    if weight is None:
        raise ValueError(
            "the BN indicator reads the weights of the normalizers, and these have none: make the "
            "supernet with norm='batch' and affine=True."
        )
    return weight.detach().abs().mean().item()


def bn_indicator(net: Supernet, path: Sequence[int]) -> float:
    r"""S(path) = sum over layers of mean_c |weight_c| of the chosen operation's last normalizer.

    A large S is to predict a high accuracy. Where the output of a normalizer goes only into another
    one, its scale is nearly free, so that S says something about branches that add to a shortcut.

    Source: Chen et al. 2021 (BN-NAS, arXiv 2108.07375); official code: identity counts 0.
    """
    return sum(_chosen(indicator_table(net), net, path))


def train_only_norms(net: Supernet, part: str = "last") -> list[nn.Parameter]:
    """Freeze ``net`` but for weights and biases of normalizers; give those back, for an optimizer.

    In BN-NAS the supernet is trained so, which is enough for the indicator.

    Args:
        net: the supernet, changed in place.
        part: ``last``, of every operation the last normalizer alone, as the official code does
            (even the classifier stays as it began); or ``all`` normalizers.
    """
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(PARTS)}, got {part!r}.")
    ops = [op for op in net.modules() if isinstance(op, MBConv)]
    norms = [op.norm3 for op in ops]
    if part == "all":
        norms = [net.stem[1], *(norm for op in ops for norm in (op.norm1, op.norm2, op.norm3))]
    net.requires_grad_(False)
    trained = [p for norm in norms for p in norm.parameters()]
    for parameter in trained:
        parameter.requires_grad_(True)
    return trained


# Cost


def macs_table(net: Supernet, image_shape: tuple[int, int, int]) -> list[list[int]]:
    """Multiply-accumulates of the convolutions of every operation, for one image."""
    size, table = tuple(image_shape[1:]), []
    for choice in net.choices:
        table.append([_macs_of_op(op, size) for op in choice])
        halved = any(isinstance(op, MBConv) and op.depthwise.stride[0] == 2 for op in choice)
        size = tuple(math.ceil(n / 2) for n in size) if halved else size
    return table


def macs(net: Supernet, path: Sequence[int], image_shape: tuple[int, int, int]) -> int:
    """Multiply-accumulates of one image on ``path``: all convolutions and the classifier.

    What the papers on architecture search call FLOPs: one multiplication with its addition. Not
    counted, as there: normalizers, ReLU, shortcuts, pooling, the additions of biases.
    """
    inner = sum(_chosen(macs_table(net, image_shape), net, path))
    return _macs_of_conv(net.stem[0], tuple(image_shape[1:])) + inner + net.head.weight.numel()


def _macs_of_op(op: nn.Module, size: tuple[int, int]) -> int:
    if isinstance(op, nn.Identity):
        return 0
    total = 0
    for conv in (op.expand, op.depthwise, op.project):
        size = tuple(math.ceil(n / conv.stride[0]) for n in size)  # padding keeps the size
        total += _macs_of_conv(conv, size)
    return total


def _macs_of_conv(conv: nn.Conv2d, out_size: tuple[int, int]) -> int:
    return conv.weight.numel() * math.prod(out_size)


# Statistics


def recalibrated(net: Supernet, path: Sequence[int], batches: Iterable[Tensor]) -> Supernet:
    r"""The subnet on ``path``, with the running statistics of its own activations.

    In the supernet a normalizer's running statistics come from all paths that led to it; the
    accuracy of one path in evaluation mode means something only after ``recompute_statistics``: for
    BatchNorm the mean, over ``batches``, of the batch mean and of the *unbiased* batch variance,
    weights as they are. ``net`` stays as it was.

    Source: Guo et al. 2020 (SPOS, arXiv 1904.00420). The official code of BN-NAS spends 200 batches
    of 128 on each candidate of its SPOS baseline.

    Args:
        net: the supernet.
        path: which subnet.
        batches: batches of images, (N, C, H, W).

    Returns:
        A copy of the subnet, in evaluation mode.

    Raises:
        ValueError: without batches, if there are statistics.
    """
    alone = net.subnet(path)
    recompute_statistics(alone, batches)
    return alone.eval()
