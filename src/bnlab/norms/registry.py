"""The normalizers by name, and their options."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from torch import Tensor, nn

from bnlab.arguments import require
from bnlab.errors import check_name, unknown
from bnlab.norms.base import Normalizer
from bnlab.norms.batch import BatchNorm, GhostBatchNorm
from bnlab.norms.batch_renorm import BatchRenorm
from bnlab.norms.evonorm import EvoNormB0, EvoNormS0
from bnlab.norms.filter_response import FilterResponseNorm
from bnlab.norms.group import GroupNorm, InstanceNorm, LayerNorm
from bnlab.norms.lp import L1BatchNorm, L2BatchNorm, LInfBatchNorm
from bnlab.norms.noisy import NoisyBatchNorm
from bnlab.norms.rms import RMSNorm
from bnlab.norms.variance import VarianceNorm


class NoNorm(Normalizer):
    """No normalizer: gives its input back, y = x, and has no parameters.

    The control of every experiment. It takes ``num_features`` like the others, and checks it.

    Example:
        >>> NoNorm(2)(torch.tensor([[1.0, 3.0]])).tolist()
        [[1.0, 3.0]]
    """

    def __init__(self, num_features: int, *, native: bool = False) -> None:
        super().__init__(num_features, affine=False, native=native)

    def _normalize(self, x: Tensor) -> Tensor:
        return x

    def extra_repr(self) -> str:
        """The number of channels."""
        return str(self.num_features)


NORMS: dict[str, type[Normalizer]] = {
    "none": NoNorm,
    "batch": BatchNorm,
    "ghost_batch": GhostBatchNorm,
    "batch_renorm": BatchRenorm,
    "variance": VarianceNorm,
    "l1_batch": L1BatchNorm,
    "l2_batch": L2BatchNorm,
    "linf_batch": LInfBatchNorm,
    "noisy_batch": NoisyBatchNorm,
    "layer": LayerNorm,
    "group": GroupNorm,
    "instance": InstanceNorm,
    "rms": RMSNorm,
    "filter_response": FilterResponseNorm,
    "evonorm_b0": EvoNormB0,
    "evonorm_s0": EvoNormS0,
}


def options_of(name: str) -> tuple[str, ...]:
    """Names of the options that ``make_norm(name, num_features, ...)`` takes."""
    check_name("normalizer", name, NORMS)
    names = inspect.signature(NORMS[name].__init__).parameters
    return tuple(n for n in names if n not in ("self", "num_features"))


def check_options(name: str, options: dict[str, object]) -> None:
    """Raise a clear error for an unknown normalizer or an option that it does not take."""
    known = options_of(name)
    require(isinstance(options, Mapping), f"options must be a dict, got {options!r}.")
    for option in options:
        if option not in known:
            raise ValueError(unknown(f"option of normalizer {name!r}:", option, known))


def make_norm(name: str, num_features: int, **options: object) -> nn.Module:
    """The normalizer called ``name`` for ``num_features`` channels.

    Args:
        name: a key of ``NORMS``.
        num_features: C, the size of axis 1.
        **options: the arguments of the class, such as ``eps``, ``momentum``, ``group_size``.

    Returns:
        A module on inputs (N, C) and (N, C, H, W).

    Raises:
        ValueError: for an unknown name or option (the known ones are listed), or a bad value.

    Example:
        >>> make_norm("group", 8, group_size=4)
        GroupNorm(8, eps=1e-05, affine=True, group_size=4)
    """
    check_options(name, options)
    return NORMS[name](num_features, **options)
