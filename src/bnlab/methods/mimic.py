"""MimicNorm: weight mean and one last BatchNorm in place of all normalizers."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Collection, Iterable
from fnmatch import fnmatchcase

import torch
from torch import nn

from bnlab.arguments import checked
from bnlab.errors import check_name
from bnlab.methods.places import last_linear, placed, replace
from bnlab.nets.fixup import FixupBlock
from bnlab.nets.resnet import Block
from bnlab.nets.scalars import Scale
from bnlab.norms import NORMS, make_norm
from bnlab.norms.layouts import Followed
from bnlab.norms.reading import is_registered
from bnlab.norms.swap import normalizers
from bnlab.norms.weight import eligible_layers, normalize_weights, project_weight_mean
from bnlab.norms.weight.eligible import weighted_layers
from bnlab.norms.weight.filters import fan_in

NONLINEAR = ("filter_response", "evonorm_b0", "evonorm_s0")  # they take the place of a ReLU too
GAIN = 1.2  # about 1 / sqrt(1 - 1/pi) = 1.211: what centring a convolution takes from the std
WEIGHT_MEANS = ("parametrization", "projection")
VARIANTS = ("mimic_cifar", "mimic_imagenet")
PARTS = ("both", "weight_mean", "last_norm", "neither")
WITHOUT_MEAN, WITHOUT_NORM = ("last_norm", "neither"), ("weight_mean", "neither")
BASIC = 2  # layers of a branch of the basic block


@checked
def mimic(
    model: nn.Module,
    variant: str = "mimic_cifar",
    part: str = "both",
    eligible: str | Iterable[str] | Callable[[str, nn.Module], bool] | None = None,
    weight_mean: str = "parametrization",
    branch_end: str | None = None,
    shortcut_end: str | None = None,
    layers_a_branch: int = 2,
    variance: float | None = None,
    **options: object,
) -> nn.Module:
    r"""A copy of ``model`` with MimicNorm instead of its normalizers.

    1. Each normalizer is taken out; convolutions without a bias get one, which starts at 0.
    2. The normalizer at the end of residual branch number k = 1, 2, ... becomes a learnable scalar
       that starts at 1.2^m / k (m layers a branch); that of a projection shortcut, one that starts
       at 1.2 (ImageNet), or nothing (CIFAR). This needs their names: known for bnlab's residual
       net, else ``branch_end`` and ``shortcut_end``.
    3. The eligible layers get weight mean: each filter minus its mean.
    4. A BatchNorm without weight and bias follows the last Linear: each logit is normalized.

    Source: Fei et al. 2020, arXiv 2010.09278, and its official code, whose nets for CIFAR and for
    ImageNet differ: in the layers that get weight mean, in the scalar of the shortcuts, and in a
    bias that a CIFAR bottleneck's shortcut does not have. Initial weights: that code has variance
    2 / fan_in in residual nets, which the copy's weights are left at if the model has it, and
    2.8 / fan_in in plain ones (CIFAR; 2.8 / fan_out for ImageNet): ``variance=2.8``.

    Args:
        model: a net whose last Linear gives the logits, (N, classes).
        variant: ``mimic_cifar`` or ``mimic_imagenet``, the official net that it follows.
        part: ``both`` steps 3 and 4; one of them alone, ``weight_mean`` or ``last_norm``; or
            ``neither``, which leaves steps 1 and 2, the control of both.
        eligible: another rule for weight mean and ``variance``, see ``eligible_layers``; None for
            the variant's. The official ones never take a Linear: for a multilayer perceptron use
            ``hidden``.
        weight_mean: ``parametrization``, differentiated through; or ``projection``, as in the
            official code: then call ``project_weight_mean(model, eligible)`` after each step of the
            optimizer, or once ``project_after_step(optimizer, model, eligible)``.
        branch_end: name pattern of the normalizers that end a residual branch, in order of depth:
            ``"*.bn2"`` for a ResNet-18 in torchvision's manner, ``"*.bn3"`` for a ResNet-50.
        shortcut_end: name pattern of the normalizers in projection shortcuts, ``"*.downsample.1"``.
        layers_a_branch: m, 2 for basic blocks and 3 for bottlenecks.
        variance: rescale each eligible weight to a mean square of ``variance`` / fan_in, before the
            mean is taken out; None leaves them.
        **options: options of the last BatchNorm, such as ``momentum``, ``native``.

    Returns:
        The copy. ``model`` is not changed. Make its optimizer afterwards.

    Raises:
        ValueError: if a pattern matches no normalizer, nothing is eligible, there is no Linear, or
            a normalizer has a nonlinearity of its own (EvoNorm, FRN), so that it cannot be left
            out, or the net is a residual one without normalizers already (SkipInit, Fixup).
    """
    for kind, value, known in (
        ("variant", variant, VARIANTS),
        ("part", part, PARTS),
        ("weight_mean", weight_mean, WEIGHT_MEANS),
    ):
        check_name(kind, value, known)
    if variance is not None and not 0 < variance < math.inf:
        raise ValueError(f"variance must be None or a positive number, got {variance!r}.")
    out = copy.deepcopy(model)
    last_linear(out)  # there is one, or nothing is begun
    is_imagenet = variant == "mimic_imagenet"
    shortcuts = _replace_normalizers(out, branch_end, shortcut_end, layers_a_branch, is_imagenet)
    needs_layers = part not in WITHOUT_MEAN or variance is not None
    rule = variant if eligible is None else eligible
    layers = eligible_layers(out, rule) if needs_layers else {}
    has_biases = is_imagenet or layers_a_branch == BASIC
    _add_biases(out, () if has_biases else _layers_before(out, shortcuts))
    if variance is not None:
        _rescale(layers.values(), variance)
    if part not in WITHOUT_MEAN:
        _take_means_out(out, layers, weight_mean)
    return out if part in WITHOUT_NORM else _with_last(out, options)


def _take_means_out(model: nn.Module, layers: Collection[str], weight_mean: str) -> None:
    def rule(name: str, _: nn.Module) -> bool:
        return name in layers

    if weight_mean == "parametrization":
        normalize_weights(model, "weight_mean", rule)
    else:
        project_weight_mean(model, rule)


def _replace_normalizers(
    model: nn.Module,
    branch_end: str | None,
    shortcut_end: str | None,
    layers_a_branch: int,
    has_shortcut_scale: bool,
) -> list[str]:
    """Take the normalizers out; give the names of those that stood in shortcuts."""
    norms = normalizers(model)
    nonlinear = (*(NORMS[name] for name in NONLINEAR if name in NORMS), Followed)
    for name, norm in norms.items():
        parts = list(norm.modules())
        has_layers = is_registered(norm) and any(type(m) is not nn.Identity for m in parts[1:])
        if has_layers or any(isinstance(part, nonlinear) for part in parts):
            raise ValueError(
                f"normalizer {name!r} ({type(norm).__name__}) has a nonlinearity of its own and "
                "cannot be left out. Start from a net with 'batch' or 'none'."
            )
    ends, shortcuts = _ends_of_blocks(model)
    ends += _matching(norms, "branch_end", branch_end)
    shortcuts += _matching(norms, "shortcut_end", shortcut_end)
    for name, norm in norms.items():
        if name in ends:
            new = Scale(GAIN**layers_a_branch / (ends.index(name) + 1))
        else:
            new = Scale(GAIN) if has_shortcut_scale and name in shortcuts else nn.Identity()
        placed(new, like=model).train(norm.training)
        if isinstance(new, Scale):
            new.scale.data.fill_(new.initial)  # anew: it was rounded to float32
        replace(model, name, new)
    return shortcuts


def _ends_of_blocks(model: nn.Module) -> tuple[list[str], list[str]]:
    """Names of the normalizers that end branches and projection shortcuts of bnlab's own blocks."""
    ends, shortcuts = [], []
    for name, block in model.named_modules():
        if isinstance(block, FixupBlock) or (isinstance(block, Block) and block.has_scale):
            raise ValueError(
                f"block {name!r} does without normalizers already (SkipInit or Fixup). "
                "Start from a net with branch='plain'."
            )
        if isinstance(block, Block):
            prefix = f"{name}." if name else ""
            ends.append(f"{prefix}norm2")
            if isinstance(block.shortcut, nn.Sequential):
                shortcuts.append(f"{prefix}shortcut.1")
    return ends, shortcuts


def _matching(norms: dict[str, nn.Module], option: str, pattern: str | None) -> list[str]:
    if pattern is None:
        return []
    names = [name for name in norms if fnmatchcase(name, pattern)]
    if not names:
        raise ValueError(
            f"{option}={pattern!r} matches no normalizer. There are: {', '.join(norms) or 'none'}."
        )
    return names


def _layers_before(model: nn.Module, names: Iterable[str]) -> set[str]:
    """Names of the weighted layers that come right before the modules called ``names``."""
    wanted, layers = set(names), weighted_layers(model)
    modules = [name for name, _ in model.named_modules()]
    return {
        before
        for before, name in itertools.pairwise(modules)
        if name in wanted and before in layers
    }


def _add_biases(model: nn.Module, but: Collection[str]) -> None:
    for name, layer in weighted_layers(model).items():
        if layer.bias is None and not isinstance(layer, nn.Linear) and name not in but:
            layer.bias = nn.Parameter(layer.weight.new_zeros(layer.out_channels))


@torch.no_grad()
def _rescale(layers: Iterable[nn.Module], variance: float) -> None:
    for layer in layers:
        mean_square = layer.weight.square().mean()
        layer.weight.mul_((variance / fan_in(layer) / mean_square).sqrt())


def _with_last(model: nn.Module, options: dict[str, object]) -> nn.Module:
    name, head = last_linear(model)
    norm = make_norm("batch", head.out_features, affine=False, **options)
    last = nn.Sequential(head, placed(norm, like=model).train(head.training))
    last.training = head.training
    return replace(model, name, last)
