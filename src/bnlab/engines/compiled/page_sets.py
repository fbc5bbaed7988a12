"""Sets of nets that are compiled beforehand for pages alone, and all sets by name.

With the nets of ``catalogue`` Python trains too, and evidence names their files. Those that are
here it compiles when they are asked for, to the same bits: a set more leaves evidence alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from bnlab.engines.compiled import artefact, catalogue
from bnlab.engines.compiled.catalogue import WATCHED, WIDTH
from bnlab.engines.compiled.nets import Net
from bnlab.errors import check_name

PAGE_SETS = {
    "deep": "deep MLPs with BatchNorm, without, and with noise behind it",
    "lawn_sgd": "an MLP with the constrained step of LAWN around Adam and around momentum",
    "images": "plain and residual convolutional nets",
    "renorm": "MLPs with Batch Renormalization, and with what stands beside it",
}
ALL_SETS = {**catalogue.SETS, **PAGE_SETS}
"""All nets that are compiled beforehand; each set has kernels of its own."""

EXTRAS = {**catalogue.EXTRAS, "lawn_sgd": ("lawn all adam", "lawn all momentum")}
"""Updates that look at single tensors and are compiled with a set, see ``tensorwise``."""

FOLDERS = artefact.FOLDERS | {
    name: Path(__file__).parent / "page_artefacts" / name for name in PAGE_SETS
}

DEEP = (6, 15)
"""Depths of the nets of the set ``deep``, with the normalizers of ``WATCHED``."""

LAWN_DEPTH = 2
"""Depth of the net of the set ``lawn_sgd``."""

IMAGE_WIDTH = 16
STANDARDIZED = "scaled_weight_standardization"
FOUR = ("instance", "layer", "batch", "group_4")
OTHERS = ("group_2", "group_8", "variance", "filter_response", "evonorm_b0", "evonorm_s0")
IMAGE_NETS = {
    ("plain", 10): (*FOUR, *OTHERS, STANDARDIZED),
    ("plain", 20): (*FOUR, "group_2"),
    ("resnet", 5): FOUR,
}
"""Width of the nets of the set ``images``, and what normalizes them, by kind and depth. Weight norm
is missing: its gains start at norms that torch sums in an order that no rule of ``initial`` has."""

IMAGE_OPTIONS = {"evonorm_s0": {"group_size": 4}}

RENORM_DEPTH = 4
RENORM_NETS = {
    "none": {},
    "batch": {"momentum": 0.01},
    "batch_renorm": {
        "momentum": 0.01,
        "schedule": {"warmup": 15, "d_end": 77, "r_end": 123, "r_max": 3.0, "d_max": 5.0},
    },
    "group": {"group_size": 8},
}
"""Depth of the nets of the set ``renorm``, and the options of their normalizers: the paper's
momentum, and its schedule for a training of 400 steps."""

Variants = dict[tuple[str, int], Net]


def _deep() -> Variants:
    return {(n, depth): Net("mlp", depth, WIDTH, n) for n in WATCHED for depth in DEEP}


def _lawn() -> Variants:
    return {("none", LAWN_DEPTH): Net("mlp", LAWN_DEPTH, WIDTH, "none")}


def _images() -> Variants:
    found = {}
    for (kind, depth), names in IMAGE_NETS.items():
        for name in names:
            variant = name if kind == "plain" else f"{kind}_{name}"
            found[variant, depth] = Net(kind, depth, IMAGE_WIDTH, **_of_images(name))
    return found


def _of_images(name: str) -> dict[str, str]:
    if name == STANDARDIZED:
        return {"norm": "none", "weight_norm": name}
    if name.startswith("group_"):
        size = int(name.removeprefix("group_"))
        return {"norm": "group", "options": json.dumps({"group_size": size})}
    return {"norm": name, "options": json.dumps(IMAGE_OPTIONS.get(name, {}))}


def _renorm() -> Variants:
    texts = {norm: json.dumps(options, sort_keys=True) for norm, options in RENORM_NETS.items()}
    return {
        (norm, RENORM_DEPTH): Net("mlp", RENORM_DEPTH, WIDTH, norm, text)
        for norm, text in texts.items()
    }


_MADE: Mapping[str, Callable[[], Variants]] = {
    "deep": _deep,
    "lawn_sgd": _lawn,
    "images": _images,
    "renorm": _renorm,
}


def variants(name: str) -> Variants:
    """The nets of a set, a key of ``ALL_SETS``, by variant and depth.

    A variant is the name of the normalizer; in the set ``images`` what normalizes a plain net, with
    ``resnet_`` before it for a residual one; in other sets see ``catalogue.variants``.
    """
    check_name("set of nets", name, ALL_SETS)
    return _MADE[name]() if name in PAGE_SETS else catalogue.variants(name)


def nets(name: str) -> list[Net]:
    """The nets of a set, a key of ``ALL_SETS``."""
    return list(variants(name).values())


def build(
    name: str, folder: Path | None = None, on_net: Callable[[Net], None] = lambda net: None
) -> None:
    """Compile a set of nets and write it; ``on_net`` is called before each net.

    Args:
        name: a key of ``ALL_SETS``.
        folder: by default the one of the package.
        on_net: what to do before each net.
    """
    artefact.build(nets(name), folder or FOLDERS[name], EXTRAS.get(name, ()), on_net)
