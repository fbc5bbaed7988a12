"""The nets of the book, which are compiled beforehand."""

from __future__ import annotations

import json

from bnlab.engines.compiled.nets import Net
from bnlab.errors import check_name
from bnlab.norms import NORMS
from bnlab.norms.weight import WEIGHT_NORMS

DEPTHS = tuple(range(1, 13))
WIDTH = 64

OPTIONS = {
    "ghost_batch": {"ghost_size": 4},
    "group": {"group_size": 8},
    "evonorm_s0": {"group_size": 8},
    "filter_response": {"learnable_eps": True},
}
"""Options of normalizers that have to be chosen, on vectors."""

CONV_OPTIONS = {
    "ghost_batch": {"ghost_size": 4},
    "group": {"group_size": 4},
    "evonorm_s0": {"group_size": 4},
}
"""The same on images, for 8 channels."""

UNDEFINED = ("instance",)
"""Normalizers that are not defined on vectors."""


GROUP_SIZES = (2, 4, 8, 16, 32)
"""Channels a group, of the nets of the set ``groups``; 64 make layer norm."""

SQUARES = ("none", "batch")
"""Normalizers of the nets of the set ``squares``, whose loss is the squared error."""

WATCHED = ("none", "batch", "noisy_batch")
"""Normalizers of the nets of the set ``units``."""

MIMIC_DEPTHS = (2, 4, 8, 12, 20, 30)
MIMIC_PARTS = {"weight_mean": "weight_mean", "last_norm": "last_norm", "mimic": "both"}
"""Depths of the nets of the set ``mimic``, and the parts of MimicNorm, by the variants with them;
its other variants are nets without a normalizer and with BatchNorm."""

BINARY_DEPTHS = (4, 8)
BINARY_WIDTH = 8
BINARY_NETS = {
    "batch": ("batch", {}),
    "signs": ("none", {"scale": "none"}),
    "none": ("none", {}),
    "standardized": ("none", {"standardized": True}),
    "bn_free": ("none", {"branch": "bn_free"}),
}
BARE = {"shortcuts": False}
"""Depths, width and nets of the set ``binary``: normalizer and options by the name of the variant,
before which ``bare_`` stands for a net without shortcuts, which the BN-free block needs."""

CLINIC_DEPTHS = (2, 4, 6)
SLOW = {"momentum": 0.001}
CLINIC_NETS = {
    "batch": {},
    "slow": {},
    "frozen": {"frozen_statistics": True},
    "no_bias": {"bias": False},
    "relu_norm": {"order": "relu_norm"},
    "relu_norm_no_bias": {"order": "relu_norm", "bias": False},
    "dropout_2": {"dropout": 0.2},
    "dropout_5": {"dropout": 0.5},
    "after_2": {"dropout": 0.2, "dropout_at": "after_layer"},
    "after_5": {"dropout": 0.5, "dropout_at": "after_layer"},
    "head_5": {"dropout": 0.5, "dropout_at": "before_head"},
}
"""Depths of the nets of the set ``clinic``, and their options by the name of the variant; all have
BatchNorm, ``slow`` with the momentum of ``SLOW``."""
CLINIC_OTHERS = ("batch_renorm", "ghost_batch", "group", "layer")
CLINIC_DEPTH = 4
"""What stands beside BatchNorm in the set ``clinic``, and its depth."""

SETS = {
    "nets": "MLPs of width 64, of each depth and normalizer",
    "groups": "MLPs of even depth with group norm, for each size of a group",
    "squares": "MLPs that are trained with the squared error",
    "units": "MLPs that tell mean and variance of single units",
    "lawn": "an MLP with the constrained step of LAWN around Adam",
    "mimic": "MLPs with MimicNorm, and with each of its parts",
    "binary": "binary nets, with what may stand in for BatchNorm, and clipping",
    "clinic": "MLPs with BatchNorm that goes wrong, and with what repairs it",
}
"""The nets that are compiled beforehand; each set has kernels of its own."""

EXTRAS = {
    "lawn": ("lawn all adam",),
    "binary": ("clip",),
    "clinic": ("parts weights all", "parts gamma all", "parts all head"),
}
"""Updates that look at single tensors and are compiled with a set, see ``tensorwise``."""


def catalogue(name: str = "nets") -> list[Net]:
    """The nets of a set, a key of ``SETS``."""
    return list(variants(name).values())


def variants(name: str) -> dict[tuple[str, int], Net]:
    """The nets of a set by variant and depth.

    A variant is the name of the normalizer, in the set ``groups`` with the size of a group:
    ``group_8``; in the set ``mimic`` also a key of ``MIMIC_PARTS``; in ``binary`` a key of
    ``BINARY_NETS``, with ``bare_`` before it if there are no shortcuts; in ``clinic`` one of
    ``CLINIC_NETS`` or ``CLINIC_OTHERS``.
    """
    check_name("set of nets", name, SETS)
    if name == "mimic":
        kinds = ("none", *MIMIC_PARTS, "batch")
        return {(kind, depth): _mimic_net(kind, depth) for kind in kinds for depth in MIMIC_DEPTHS}
    if name == "clinic":
        kinds = {kind: _clinic(kind) for kind in CLINIC_NETS}
        nets = {
            (kind, depth): Net("mlp", depth, WIDTH, "batch", *options)
            for kind, options in kinds.items()
            for depth in CLINIC_DEPTHS
        }
        for norm in CLINIC_OTHERS:
            options = json.dumps(OPTIONS.get(norm, {}))
            nets[norm, CLINIC_DEPTH] = Net("mlp", CLINIC_DEPTH, WIDTH, norm, options)
        return nets
    if name == "binary":
        kinds = {kind: _binary(kind, {}) for kind in BINARY_NETS}
        kinds |= {f"bare_{kind}": _binary(kind, BARE) for kind in BINARY_NETS if kind != "bn_free"}
        return {
            (kind, depth): Net("binary", depth, BINARY_WIDTH, norm, net_options=options)
            for kind, (norm, options) in kinds.items()
            for depth in BINARY_DEPTHS
        }
    loss, watch = "cross_entropy", "layers"
    if name == "nets":
        kinds = {norm: (norm, OPTIONS.get(norm, {})) for norm in NORMS if norm not in UNDEFINED}
        depths = DEPTHS
    elif name == "groups":
        kinds = {norm: (norm, {}) for norm in ("none", "batch", "layer")}
        kinds |= {f"group_{size}": ("group", {"group_size": size}) for size in GROUP_SIZES}
        depths = DEPTHS[1::2]
    elif name == "squares":
        kinds = {norm: (norm, {}) for norm in SQUARES}
        depths, loss = (2, 4, 8), "squared_error"
    elif name == "lawn":
        kinds, depths = {"none": ("none", {})}, (3,)
    else:
        kinds = {norm: (norm, {}) for norm in WATCHED}
        depths, watch = DEPTHS, "units"
    return {
        (kind, depth): Net("mlp", depth, WIDTH, norm, json.dumps(options), loss=loss, watch=watch)
        for kind, (norm, options) in kinds.items()
        for depth in depths
    }


def _mimic_net(kind: str, depth: int) -> Net:
    if kind not in MIMIC_PARTS:
        return Net("mlp", depth, WIDTH, kind)
    options = json.dumps({"eligible": "hidden", "part": MIMIC_PARTS[kind]})
    return Net("mlp", depth, WIDTH, "none", method="mimic_cifar", method_options=options)


def _binary(kind: str, more: dict[str, bool]) -> tuple[str, str]:
    norm, options = BINARY_NETS[kind]
    return norm, json.dumps(options | more, sort_keys=True)


def _clinic(kind: str) -> tuple[str, str]:
    norm_options = SLOW if kind == "slow" else {}
    return json.dumps(norm_options), json.dumps(CLINIC_NETS[kind], sort_keys=True)


def small_nets() -> list[Net]:
    """Nets that are not compiled beforehand, to try the compiler with.

    A plain and a residual net with each normalizer, and for larger images; and MLPs with each
    normalizer of weights, which have no normalizer of activations.
    """
    convolutional = [
        Net(kind, 3, 8, name, json.dumps(CONV_OPTIONS.get(name, {})))
        for name in NORMS
        for kind in ("plain", "resnet")
    ]
    weighted = [Net("mlp", 3, 16, "none", weight_norm=name) for name in WEIGHT_NORMS]
    branches = [
        Net("resnet", 2, 8, "none", net_options=json.dumps({"branch": name}))
        for name in ("skipinit", "fixup")
    ]
    larger = [Net(kind, 2, 8, "batch", image_shape=(3, 16, 16)) for kind in ("plain", "resnet")]
    return [*convolutional, *weighted, *branches, *larger]
