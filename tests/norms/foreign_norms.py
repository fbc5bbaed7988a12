"""Normalizers that compute as those of torchvision, timm and transformers, under their names."""

import torch
from torch import nn
from torch.nn import functional as F


def named(path: str):
    """Give a class the full name of a library's."""

    def rename(cls):
        cls.__module__, _, cls.__qualname__ = path.rpartition(".")
        cls.__name__ = cls.__qualname__
        return cls

    return rename


class _LayerOfImages(nn.LayerNorm):
    def forward(self, x):
        y = F.layer_norm(
            x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps
        )
        return y.permute(0, 3, 1, 2)


@named("torchvision.models.convnext.LayerNorm2d")
class VisionLayerNorm2d(_LayerOfImages):
    forward = _LayerOfImages.forward


@named("timm.layers.norm.LayerNorm2d")
class TimmLayerNorm2d(_LayerOfImages):
    forward = _LayerOfImages.forward


@named("torchvision.ops.misc.FrozenBatchNorm2d")
class FrozenBatchNorm2d(nn.Module):
    def __init__(self, width, eps=1e-5):
        super().__init__()
        self.eps = eps
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, torch.rand(width) + 0.5)

    def forward(self, x):
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale[:, None, None] + shift[:, None, None]


@named("timm.layers.norm_act.BatchNormAct2d")
class BatchNormAct2d(nn.BatchNorm2d):
    def __init__(self, width, drop=0.0, act=nn.ReLU):
        super().__init__(width)
        self.drop, self.act = nn.Dropout(drop) if drop else nn.Identity(), act()

    def forward(self, x):
        return self.act(self.drop(nn.BatchNorm2d.forward(self, x)))


@named("timm.layers.norm_act.GroupNormAct")
class GroupNormAct(nn.GroupNorm):
    def __init__(self, width, num_groups=2):
        super().__init__(num_groups, width)
        self.drop, self.act = nn.Identity(), nn.SiLU()

    def forward(self, x):
        y = F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)
        return self.act(self.drop(y))


@named("timm.layers.norm.GroupNorm1")
class GroupNorm1(nn.GroupNorm):
    def __init__(self, width):
        super().__init__(1, width)

    def forward(self, x):
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


@named("timm.layers.norm.LayerNorm")
class TimmLayerNorm(nn.LayerNorm):
    def forward(self, x):
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


@named("timm.layers.norm.RmsNorm")
class RmsNorm(nn.Module):
    def __init__(self, width, eps=1e-6):
        super().__init__()
        self.normalized_shape, self.eps = (width,), eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * (x.square().mean(-1, keepdim=True) + self.eps).rsqrt() * self.weight


@named("timm.layers.norm.RmsNorm2d")
class RmsNorm2d(RmsNorm):
    def forward(self, x):
        y = x * (x.square().mean(1, keepdim=True) + self.eps).rsqrt()
        return y * self.weight[:, None, None]


class _InFloat32(nn.Module):
    def __init__(self, width, eps=1e-6):
        super().__init__()
        self.weight, self.variance_epsilon = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        y = x.float() * (x.float().square().mean(-1, keepdim=True) + self.variance_epsilon).rsqrt()
        return self.weight * y.to(x.dtype)


@named("transformers.models.llama.modeling_llama.LlamaRMSNorm")
class LlamaRMSNorm(_InFloat32):
    forward = _InFloat32.forward


@named("transformers.models.t5.modeling_t5.T5LayerNorm")
class T5LayerNorm(_InFloat32):
    forward = _InFloat32.forward


@named("transformers.models.gemma.modeling_gemma.GemmaRMSNorm")
class GemmaRMSNorm(nn.Module):
    def __init__(self, width, eps=1e-6):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.zeros(width)), eps

    def forward(self, x):
        y = x.float() * (x.float().square().mean(-1, keepdim=True) + self.eps).rsqrt()
        return (y * (1 + self.weight.float())).to(x.dtype)


@named("transformers.models.odd.modeling_odd.OddRMSNorm")
class OddRMSNorm(_InFloat32):
    """Called an RMSNorm, and it subtracts the mean."""

    def forward(self, x):
        return _InFloat32.forward(self, x - x.mean(-1, keepdim=True))


@named("transformers.models.gated.modeling_gated.GatedRMSNorm")
class GatedRMSNorm(_InFloat32):
    def forward(self, x, gate):
        return _InFloat32.forward(self, x) * gate


FOREIGN = {
    # maker, shape of an input, kind, name of the same kind here
    "torchvision LayerNorm2d": (VisionLayerNorm2d, (3, 4, 5, 2), "layer", "layer"),
    "torchvision FrozenBatchNorm2d": (FrozenBatchNorm2d, (3, 4, 5, 2), "batch", None),
    "timm LayerNorm": (TimmLayerNorm, (3, 5, 4), "layer", "layer"),
    "timm LayerNorm2d": (TimmLayerNorm2d, (3, 4, 5, 2), "layer", "layer"),
    "timm BatchNormAct2d": (BatchNormAct2d, (3, 4, 5, 2), "batch", "batch"),
    "timm BatchNormAct2d, tanh": (
        lambda width: BatchNormAct2d(width, act=nn.Tanh),
        (3, 4, 5, 2),
        "batch",
        "batch",
    ),
    "timm GroupNormAct": (GroupNormAct, (3, 4, 5, 2), "group", "group"),
    "timm GroupNorm1": (GroupNorm1, (3, 4, 5, 2), "group", "group"),
    "timm RmsNorm": (RmsNorm, (3, 5, 4), "rms", "rms"),
    "timm RmsNorm2d": (RmsNorm2d, (3, 4, 5, 2), "rms", "rms"),
    "transformers LlamaRMSNorm": (LlamaRMSNorm, (3, 5, 4), "rms", "rms"),
    "transformers T5LayerNorm": (T5LayerNorm, (3, 5, 4), "rms", "rms"),
    "transformers GemmaRMSNorm": (GemmaRMSNorm, (3, 5, 4), "rms", "rms"),
}
