"""swap_norms: the swapped net against one whose normalizers were replaced by hand."""

import copy

import torch
from torch import Tensor, nn

from bnlab.norms import Normalizer, make_norm, options_of, swap_norms
from tests.models.direct import near
from tests.models.zoo import Case, answer, call, same_noise

AXIS_ONE = (nn.modules.batchnorm._NormBase, nn.GroupNorm)
LAST_AXIS = (
    "LayerNorm",
    "RMSNorm",
    "RmsNorm",
    "LlamaRMSNorm",
    "T5LayerNorm",
    "T5RMSNorm",
)
PIXELS = ("LayerNorm2d", "LayerNormAct2d", "ConvNextLayerNorm")
OWN = {"BatchNorm": "batch", "GroupNorm": "group", "LayerNorm": "layer", "Rms": "rms", "RMS": "rms"}
OPTIONS = {
    "ghost_batch": {"ghost_size": 2},
    "group": {"group_size": 4},
    "evonorm_s0": {"group_size": 4},
}


def layout(module: nn.Module) -> str | None:
    """Where a normalizer of the libraries has its channels; None for what is none of them."""
    name = type(module).__name__
    if isinstance(module, Normalizer):
        return None
    if name in PIXELS:
        last = getattr(module, "data_format", "") == "channels_last"
        return "last axis" if last else "pixels"
    if name in LAST_AXIS:
        return "last axis"
    if name == "FrozenBatchNorm2d" or isinstance(module, AXIS_ONE):
        return "axis 1"
    return None


def own_kind(module: nn.Module) -> str:
    """The name of what a normalizer of the libraries computes."""
    name = type(module).__name__
    if name == "T5LayerNorm":
        return "rms"
    return next(kind for part, kind in OWN.items() if part in name)


def normalizers(net: nn.Module) -> dict[str, nn.Module]:
    """Every normalizer of the libraries in a net."""
    return {name: m for name, m in net.named_modules() if layout(m)}


class ByHand(nn.Module):
    """A normalizer in place of one of a library: torch's functions where there are any."""

    def __init__(self, old: nn.Module, kind: str, options: dict[str, object]) -> None:
        super().__init__()
        self.layout, self.kind, self.options = layout(old), kind, options
        self.weight, self.bias = getattr(old, "weight", None), getattr(old, "bias", None)
        self.eps = getattr(old, "eps", None) or getattr(old, "variance_epsilon", 1e-5)
        self.mean, self.var = (getattr(old, f"running_{name}", None) for name in ("mean", "var"))
        self.after = [getattr(old, name) for name in ("drop", "act") if hasattr(old, name)]
        self.norm = None if kind in PLAIN else self._made(old)

    def _made(self, old: nn.Module) -> nn.Module:
        options = {**self.options, "eps": self.eps}
        if "momentum" in vars(old) and old.momentum is not None:
            options["momentum"] = old.momentum
        known = {k: v for k, v in options.items() if k in options_of(self.kind)}
        norm = make_norm(self.kind, len(self.weight), **known).to(self.weight)
        for name, tensor in [*norm.named_parameters(), *norm.named_buffers()]:
            kept = getattr(old, name, None)
            if isinstance(kept, Tensor):
                tensor.data.copy_(kept.data)
        return norm.train(old.training)

    def forward(self, x: Tensor) -> Tensor:
        values = x.movedim(1, -1) if self.layout == "pixels" else x
        if self.layout == "axis 1":
            y = self._normalized(values)
        else:
            y = self._normalized(values.reshape(-1, values.shape[-1])).reshape(values.shape)
        y = y.movedim(-1, 1) if self.layout == "pixels" else y
        for module in self.after:
            y = module(y)
        return y

    def _normalized(self, x: Tensor) -> Tensor:
        if self.norm is None:
            return PLAIN[self.kind](self, x)
        as_image = x.unsqueeze(-1) if x.ndim == 3 else x
        return self.norm(as_image).reshape(x.shape)


def _batch(hand: ByHand, x: Tensor) -> Tensor:
    mean, var = (None, None) if hand.training else (hand.mean, hand.var)
    if not hand.training and mean is None:
        mean, var = torch.zeros_like(hand.weight), torch.ones_like(hand.weight)
    options = (hand.weight, hand.bias, hand.training, 0.0, hand.eps)
    return nn.functional.batch_norm(x, mean, var, *options)


def _group(hand: ByHand, x: Tensor, groups: int) -> Tensor:
    return nn.functional.group_norm(x, groups, hand.weight, hand.bias, hand.eps)


def _rms(hand: ByHand, x: Tensor) -> Tensor:
    dims = tuple(range(1, x.ndim))
    y = x * (x.square().mean(dims, keepdim=True) + hand.eps).rsqrt()
    along = (1, -1, *[1] * (x.ndim - 2))
    return y * hand.weight.reshape(along)  # RMS normalization has no bias


PLAIN = {
    "none": lambda hand, x: x,
    "batch": _batch,
    "layer": lambda hand, x: _group(hand, x, 1),
    "group": lambda hand, x: _group(hand, x, x.shape[1] // hand.options["group_size"]),
    "instance": lambda hand, x: _group(hand, x, x.shape[1]),
    "rms": _rms,
}


def by_hand(net: nn.Module, kind: str, options: dict[str, object]) -> nn.Module:
    """A copy of a net with another normalizer in every place."""
    clone = copy.deepcopy(net)
    places = list(clone.named_modules(remove_duplicate=False))
    for path, module in places:
        if layout(module):
            parent, _, key = path.rpartition(".")
            clone.get_submodule(parent)._modules[key] = ByHand(module, kind, options)
    return clone


@torch.no_grad()
def outputs(net: nn.Module, case: Case) -> list[Tensor]:
    """What a net gives in evaluation and in training mode; its running statistics then move."""
    found = []
    for training in (False, True):
        with same_noise():
            found.append(answer(call(net.train(training), case.x)))
    return found


def check_swap(case: Case, kind: str) -> None:
    """In both modes: equal to the net made by hand, and to itself for its own kind."""
    before = normalizers(case.net)
    same = {own_kind(module) for module in before.values()} == {kind}
    options = {} if same else OPTIONS.get(kind, {})
    swapped = swap_norms(case.net, kind, **options)
    left = normalizers(swapped)
    assert before and not left, f"not replaced: {list(left)[:3]}"
    wanted = case.net if same else by_hand(case.net, kind, options)
    for ours, theirs in zip(outputs(swapped, case), outputs(wanted, case), strict=True):
        near(ours, theirs, 1e-5)
