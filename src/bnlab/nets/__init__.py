"""Small nets for images, made by ``make_net``."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from bnlab.arguments import require
from bnlab.errors import check_name
from bnlab.nets.binary import BinaryResNet
from bnlab.nets.init import initialize
from bnlab.nets.mlp import MLP
from bnlab.nets.plain import PlainConvNet
from bnlab.nets.resnet import Block, ResNet
from bnlab.nets.supernet import Supernet

NETS: dict[str, type[nn.Module]] = {
    "mlp": MLP,
    "plain": PlainConvNet,
    "resnet": ResNet,
    "binary": BinaryResNet,
    "supernet": Supernet,
}
NET_OPTIONS = {
    "mlp": ("order", "bias", "dropout", "dropout_at", "frozen_statistics"),
    "plain": ("downsample",),
    "resnet": ("branch",),
    "binary": (
        "branch",
        "alpha",
        "variance",
        "weights",
        "standardized",
        "scale",
        "shortcuts",
        "first_weights",
    ),
    "supernet": ("ops", "path"),
}


def make_net(
    name: str,
    image_shape: tuple[int, int, int],
    num_classes: int,
    depth: int,
    width: int,
    norm: str = "none",
    norm_options: dict[str, object] | None = None,
    seed: int = 0,
    **net_options: object,
) -> nn.Module:
    """The net called ``name``, with initial weights from ``seed``.

    Args:
        name: a key of ``NETS``.
        image_shape: (C, H, W) of one image.
        num_classes: number of outputs.
        depth: hidden layers (mlp), convolutions (plain), residual blocks (resnet), binary blocks
            (binary) or choice blocks (supernet).
        width: units or channels.
        norm: a name for ``make_norm``.
        norm_options: options of the normalizer.
        seed: which initial weights.
        **net_options: options of the net, such as ``branch`` of a resnet. The ``path`` of a
            supernet makes the subnet on it, with the first weights that it has in the supernet.

    Raises:
        ValueError: for an unknown net or normalizer, an unknown option or a bad value.
    """
    check_name("net", name, NETS)
    for key, value in {"depth": depth, "width": width}.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{key} must be a positive integer, got {value!r}.")
    require(
        norm_options is None or isinstance(norm_options, Mapping),
        f"norm_options must be a dict or None, got {norm_options!r}.",
    )
    path = net_options.pop("path", None) if name == "supernet" else None
    with torch.random.fork_rng(devices=[]):  # torch's layers draw first weights: not from the user
        options = {**(norm_options or {}), **net_options}
        net = NETS[name](image_shape, num_classes, depth, width, norm, **options)
    initialize(net, seed)
    return net if path is None else net.subnet(path)


__all__ = [
    "MLP",
    "NETS",
    "NET_OPTIONS",
    "BinaryResNet",
    "Block",
    "PlainConvNet",
    "ResNet",
    "Supernet",
    "initialize",
    "make_net",
]
