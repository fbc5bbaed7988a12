"""K nets of one structure as a single net: their channels lie side by side.

A batch for K nets is (B, K*C) or (B, K*C, H, W). A normalizer of C channels becomes the same one of
K*C channels, a convolution becomes a grouped one with K groups, a matrix a batch of K matrices. No
number of one net ever meets one of another: a net that diverges leaves the others as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from bnlab.nets import MLP, Block, PlainConvNet, ResNet
from bnlab.norms import NORMS, BatchNorm, GroupNorm, LayerNorm, NoisyBatchNorm, Normalizer, RMSNorm
from bnlab.norms.functional import mean_square

KEPT = (
    *(nn.ReLU, nn.Identity, nn.MaxPool2d, nn.Flatten, nn.Sequential),
    *(Block, MLP, PlainConvNet, ResNet),
)


class WideLinear(nn.Module):
    """K linear layers side by side: (B, K*in) -> (B, K*out); ``weight`` (K, out, in).

    In memory the output lies channel after channel, as the product comes out: the transposed view
    costs nothing, and what pools over the batch reads its numbers in order.
    """

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([one.weight.detach() for one in layers]))
        self.bias = nn.Parameter(torch.stack([one.bias.detach() for one in layers])[:, :, None])

    def forward(self, x: Tensor) -> Tensor:
        """All K products in one call."""
        by_net = x.t().reshape(len(self.weight), -1, len(x))
        return torch.baddbmm(self.bias, self.weight, by_net).view(-1, len(x)).t()


class WideBatchNorm(BatchNorm):
    """K Batch Normalizations side by side, for numbers that lie channel after channel."""

    def _native(self, x: Tensor) -> Tensor:
        if x.ndim == 4 or not x.t().is_contiguous():
            return super()._native(x)
        return super()._native(x.t()[None])[0].t()  # (1, K*C, B): positions instead of samples


class WideLayerNorm(GroupNorm):
    """K Layer Normalizations side by side: Group Normalization with a net's channels as group."""

    def _normalize(self, x: Tensor) -> Tensor:
        if x.ndim == 4 or not self._use_kernel(x):
            return super()._normalize(x)
        # Twice as fast as the kernel of group norm; it knows no weights that differ by group.
        groups = x.reshape(-1, self.group_size)
        y = nn.functional.layer_norm(groups, groups.shape[1:], eps=self.eps).view(x.shape)
        return y if self.weight is None else torch.addcmul(self.bias, y, self.weight)


class WideRMSNorm(RMSNorm):
    """K RMS Normalizations side by side."""

    nets: int

    def _normalize(self, x: Tensor) -> Tensor:
        groups = x.reshape(len(x) * self.nets, -1)
        scale = (mean_square(groups, (1,)) + self.eps).rsqrt()
        y = (groups * scale).view(x.shape)
        return y if self.weight is None else y * self._affine_for(x)[0]


def is_wideable(net: nn.Module) -> bool:
    """Whether ``widen`` knows all parts of the net.

    Not among them: noise, of which each net has its own, parametrizations, linear layers without
    a bias, and what learns one number for a whole layer.
    """
    return all(_maker(module) is not None for module in net.modules())


def widen(nets: Sequence[nn.Module]) -> nn.Module:
    """One net that computes all of ``nets``, made the same way with other weights.

    Shape:
        (B, K*C, H, W) -> (B, K*classes), net after net.
    """
    wide = copy.deepcopy(nets[0])
    for name, module in list(wide.named_modules()):
        same = [net.get_submodule(name) for net in nets]
        if not isinstance(module, KEPT):
            parent, _, own = name.rpartition(".")
            setattr(wide.get_submodule(parent), own, _maker(module)(same))
    return wide.train(nets[0].training)


def take_out(wide: nn.Module, number: int, count: int, net: nn.Module) -> nn.Module:
    """Give ``net`` what net ``number`` of the ``count`` nets in ``wide`` has; the inverse of widen.

    Args:
        wide: of ``widen``.
        number: from 0.
        count: K.
        net: one like those that were widened; its parameters and buffers are overwritten.

    Returns:
        ``net``.
    """
    state = wide.state_dict()
    own = {
        name: state[name].reshape(count, *value.shape)[number] if value.ndim else state[name]
        for name, value in net.state_dict().items()
    }
    net.load_state_dict(own)
    return net


def _maker(module: nn.Module) -> Callable[[Sequence[nn.Module]], nn.Module] | None:
    if type(module) in KEPT:
        return lambda same: same[0]
    if any(parameter.ndim == 0 for parameter in module.parameters(recurse=False)):
        return None
    if isinstance(module, nn.Linear) and module.bias is None:
        return None
    makers = {
        nn.Linear: WideLinear,
        nn.Conv2d: _wide_conv,
        BatchNorm: _wide_batch_norm,
        LayerNorm: _wide_layer_norm,
        RMSNorm: _wide_rms_norm,
        NoisyBatchNorm: None,
    }
    by_channel = _wide_norm if type(module) in NORMS.values() else None
    return makers.get(type(module), by_channel)


def _wide_conv(layers: Sequence[nn.Conv2d]) -> nn.Conv2d:
    one, count = layers[0], len(layers)
    wide = nn.Conv2d(
        count * one.in_channels,
        count * one.out_channels,
        one.kernel_size,
        one.stride,
        one.padding,
        groups=count,
        dtype=one.weight.dtype,
        device="meta",  # no first weights that would be drawn for nothing
    ).to_empty(device=one.weight.device)
    return _take_over(wide, layers)


def _wide_norm(norms: Sequence[Normalizer]) -> Normalizer:
    wide = copy.deepcopy(norms[0])
    wide.num_features *= len(norms)
    if hasattr(wide, "num_groups"):
        wide.num_groups *= len(norms)
    return _take_over(wide, norms)


def _wide_batch_norm(norms: Sequence[BatchNorm]) -> BatchNorm:
    one = norms[0]
    sizes = (len(norms) * one.num_features, one.eps, one.momentum)
    return _take_over(
        WideBatchNorm(*sizes, one.affine, one.track_running_stats, native=one.native), norms
    )


def _wide_layer_norm(norms: Sequence[LayerNorm]) -> WideLayerNorm:
    one = norms[0]
    sizes = (len(norms) * one.num_features, one.num_features)
    wide = WideLayerNorm(*sizes, eps=one.eps, affine=one.affine, native=one.native)
    return _take_over(wide, norms)


def _wide_rms_norm(norms: Sequence[RMSNorm]) -> WideRMSNorm:
    one = norms[0]
    wide = WideRMSNorm(len(norms) * one.num_features, one.eps, one.affine, native=one.native)
    wide.nets = len(norms)
    return _take_over(wide, norms)


def _take_over(wide: nn.Module, parts: Sequence[nn.Module]) -> nn.Module:
    """Put the parameters and buffers of ``parts`` side by side into ``wide``."""
    for name, parameter in parts[0].named_parameters():
        values = [part.get_parameter(name).detach() for part in parts]
        setattr(wide, name, nn.Parameter(_side_by_side(values), parameter.requires_grad))
    for name, _ in parts[0].named_buffers():
        setattr(wide, name, _side_by_side([part.get_buffer(name) for part in parts]))
    return wide


def _side_by_side(values: list[Tensor]) -> Tensor:
    # A counter of steps is the same in all nets.
    return torch.cat(values) if values[0].ndim else values[0].clone()
