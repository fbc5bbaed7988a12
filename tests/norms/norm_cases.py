"""Which options a normalizer needs, and on which shapes it is defined."""

from dataclasses import dataclass, field

import torch
from torch import nn

from bnlab.norms import NORMS, make_norm

REQUIRED = {
    "ghost_batch": {"ghost_size": 1},
    "group": {"group_size": 2},
    "evonorm_s0": {"group_size": 2},
}
"""Options without a default, for tests in which their value does not matter."""

RUNNING = ("batch", "ghost_batch", "batch_renorm", "variance", "l1_batch", "l2_batch", "linf_batch")
RUNNING = (*RUNNING, "noisy_batch", "evonorm_b0")
"""Those with running statistics."""

SHAPES = [
    (1, 6, 3, 3),
    (2, 6),
    (2, 6, 5, 5),
    (4, 6, 3, 2),
    (8, 6, 1, 1),
    (12, 6),
    (64, 6),
    (64, 6, 2, 2),
]


@dataclass(frozen=True)
class Case:
    """A normalizer with options, on a shape."""

    name: str
    shape: tuple[int, ...]
    options: dict = field(default_factory=dict)

    def __str__(self) -> str:
        extra = "".join(f"-{key}={value}" for key, value in self.options.items())
        return f"{self.name}-{'x'.join(map(str, self.shape))}{extra}"

    def layer(self, dtype: torch.dtype = torch.float64, **more) -> nn.Module:
        return make_norm(self.name, self.shape[1], **{**self.options, **more}).to(dtype)


def options_on(name: str, shape: tuple[int, ...]) -> list[dict] | None:
    """Options with which ``name`` is defined on ``shape`` in training mode; None for never."""
    one_position = len(shape) == 2 or shape[2:] == (1, 1)
    if name in RUNNING and shape[0] == 1 and one_position:
        return None
    if name == "ghost_batch":
        least = 2 if one_position else 1
        return [{"ghost_size": g} for g in (1, 2, 4, 16) if g >= least and shape[0] % g == 0]
    if name in ("group", "evonorm_s0"):
        return [{"group_size": 2}, {"num_groups": 2}]
    if name == "instance" and one_position:
        return None
    if name == "filter_response":
        return [{"learnable_eps": True}] if one_position else [{}, {"learnable_eps": True}]
    if name == "batch_renorm":
        limits = {"r_max": 1.05, "d_max": 0.1}
        return [{}, limits, {"r_max": None, "d_max": None}]
    return [{}]


def cases(shapes=SHAPES, names=tuple(NORMS)) -> list[Case]:
    """Every normalizer on every shape on which it is defined."""
    return [
        Case(name, shape, options)
        for name in names
        for shape in shapes
        for options in options_on(name, shape) or []
    ]


def one_case(name: str, shape: tuple[int, ...]) -> Case | None:
    """The first of ``cases`` with this name and shape."""
    return next(iter(cases([shape], [name])), None)
