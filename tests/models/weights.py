"""Normalizers of weights, LAWN and adaptive clipping, against a few lines of formula."""

import math

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from bnlab.norms import recompute_statistics
from bnlab.norms.weight import normalize_weights
from bnlab.optim import LAWN, adaptive_clip_grad, constrained_weights
from tests.models.direct import gradients, near, trained, twin
from tests.models.swaps import outputs
from tests.models.zoo import Case, call

RATE = 0.01


def filters(layer: nn.Module, weight: Tensor) -> Tensor:
    """Weights as (outputs, all else)."""
    if isinstance(layer, _ConvTransposeNd):
        parts = weight.chunk(layer.groups)
        return torch.cat([part.transpose(0, 1).flatten(1) for part in parts])
    return weight.flatten(1)


def layers(net: nn.Module) -> dict[str, nn.Module]:
    """Every Linear and convolution."""
    return {n: m for n, m in net.named_modules() if isinstance(m, (nn.Linear, _ConvNd))}


def standardized(rows: Tensor, eps: float) -> Tensor:
    """Mean 0 and biased variance 1 in each row."""
    return (rows - rows.mean(1, keepdim=True)) / (rows.var(1, False, keepdim=True) + eps).sqrt()


FORMULAS = {
    "weight_norm": lambda rows: rows,  # at the start it changes nothing
    "weight_mean": lambda rows: rows - rows.mean(1, keepdim=True),
    "weight_standardization": lambda rows: standardized(rows, 1e-5),
    "scaled_weight_standardization": lambda rows: (
        standardized(rows, 1e-6) * math.sqrt(2 / (1 - 1 / math.pi) / rows.shape[1])
    ),
}


def check_weights(case: Case, name: str) -> None:
    """Each layer's weight by its formula, and a net with those weights has the same outputs."""
    net, hand = twin(case), twin(case)
    changed = normalize_weights(net, name)
    assert set(changed) == set(layers(case.net))
    for path, layer in layers(hand).items():
        rows = FORMULAS[name](filters(layer, layer.weight.detach()))
        near(filters(layer, net.get_submodule(path).weight.detach()), rows)
        if not isinstance(layer, _ConvTransposeNd):
            layer.weight.data = rows.reshape(layer.weight.shape)
    if name == "weight_norm":
        _check_gains(case, net)
    for model in (net, hand):
        _settle(model, case)
    for ours, theirs in zip(outputs(net, case), outputs(hand, case), strict=True):
        near(ours, theirs)


def _settle(net: nn.Module, case: Case) -> None:
    """Give a net the statistics of its new weights: with those of others it may blow up."""
    for module in net.modules():
        if isinstance(module, _BatchNorm):
            module.momentum = 1.0
    outputs(net, case)


def _check_gains(case: Case, net: nn.Module) -> None:
    for path, layer in layers(case.net).items():
        norm = net.get_submodule(path).parametrizations.weight
        near(norm.original0.detach().flatten(), filters(layer, layer.weight).detach().norm(dim=1))


def check_lawn(case: Case) -> None:
    """Two free steps are Adam's; then the constrained norms stay, and the steps are the paper's."""
    net, hand = twin(case), twin(case)
    kept = constrained_weights(net)
    names = {id(p): n for n, p in net.named_parameters()}
    chosen = [names[id(weight)] for weight in kept]
    assert [id(w) for w in kept] == [id(layer.weight) for layer in layers(net).values()]
    lawn = LAWN(torch.optim.Adam(net.parameters(), lr=RATE), kept, free_steps=2)
    adam = torch.optim.Adam(hand.parameters(), lr=RATE)
    for step in range(4):
        slopes = gradients(case, hand)
        for model in (net, hand):
            for name, parameter in trained(model).items():
                parameter.grad = slopes[name].clone()
        norms = [float(weight.detach().norm()) for weight in kept]
        lawn.step()
        _adam_step(adam, [hand.get_parameter(name) for name in chosen] if step > 1 else [])
        for name, parameter in trained(net).items():
            near(parameter.detach(), hand.get_parameter(name).detach(), 1e-9 if step > 1 else 0)
        if step > 1:
            near([float(weight.detach().norm()) for weight in kept], norms)


@torch.no_grad()
def _adam_step(adam: torch.optim.Optimizer, constrained: list[Tensor]) -> None:
    before = [weight.clone() for weight in constrained]
    for weight in constrained:
        weight.grad -= weight * (weight * weight.grad).sum() / weight.square().sum()
    adam.step()
    for weight, old in zip(constrained, before, strict=True):
        step = weight - old
        new = old + step - old * (old * step).sum() / old.square().sum()
        weight.copy_(new * old.norm() / new.norm())


def check_clipping(case: Case) -> None:
    """Each unit's gradient against its weights: units are what makes one output."""
    net = twin(case)
    slopes = gradients(case, net)
    for name, parameter in trained(net).items():
        parameter.grad = slopes[name].clone()
    looked = adaptive_clip_grad(net, clip=0.01)
    head = {id(p) for p in _last_called(net, case).parameters()}
    assert sorted(looked) == sorted(n for n, p in trained(net).items() if id(p) not in head)
    for name, parameter in trained(net).items():
        wanted = slopes[name]
        if name in looked:
            wanted = _clipped(_owner(net, name), wanted, parameter.detach())
        near(parameter.grad, wanted)


def _last_called(net: nn.Module, case: Case) -> nn.Module:
    """The Linear or convolution that the net calls last."""
    called: list[nn.Module] = []
    hooks = [
        m.register_forward_pre_hook(lambda m, _: called.append(m)) for m in layers(net).values()
    ]
    with torch.no_grad():
        call(net, case.x)
    for hook in hooks:
        hook.remove()
    return called[-1]


def _owner(net: nn.Module, name: str) -> nn.Module:
    return (
        net.get_submodule(f".{name}".partition(".parametrizations.")[0].lstrip("."))
        if (".parametrizations." in name)
        else net.get_submodule(name.rpartition(".")[0])
    )


def _clipped(owner: nn.Module, slope: Tensor, weight: Tensor) -> Tensor:
    if weight.ndim < 2:
        rows, own = slope.reshape(1, -1), weight.reshape(1, -1)
    elif type(owner).__name__ == "Conv1D":  # of transformers: (inputs, outputs)
        rows, own = slope.T, weight.T
    elif isinstance(owner, _ConvTransposeNd):
        rows, own = filters(owner, slope), filters(owner, weight)
    else:
        rows, own = slope.flatten(1), weight.flatten(1)
    largest = 0.01 * own.norm(dim=1, keepdim=True).clamp(min=1e-3)
    rows = rows * (largest / rows.norm(dim=1, keepdim=True).clamp(min=1e-300)).clamp(max=1)
    if type(owner).__name__ == "Conv1D" and weight.ndim == 2:
        rows = rows.T
    assert not isinstance(owner, _ConvTransposeNd), "this helper does not lay them back"
    return rows.reshape(slope.shape)


def check_recomputed(case: Case) -> None:
    """Running statistics against the mean, over two batches, of what goes into each BatchNorm."""
    net, hand = twin(case), twin(case)
    batches = [case.x, _other(case.x)]
    recompute_statistics(net, batches)
    tracked = {
        name: m
        for name, m in hand.named_modules()
        if isinstance(m, _BatchNorm) and m.running_mean is not None
    }
    seen: dict[str, list[Tensor]] = {name: [] for name in tracked}
    hand.eval()
    for name, module in tracked.items():
        module.train()
        module.register_forward_pre_hook(
            lambda _, args, name=name: seen[name].append(args[0].detach().movedim(1, 0).flatten(1))
        )
    with torch.no_grad():
        for batch in batches:
            call(hand, batch)
    for name, values in seen.items():
        module = net.get_submodule(name)
        near(module.running_mean, sum(v.mean(1) for v in values) / 2)
        near(module.running_var, sum(v.var(1) for v in values) / 2)
    state, before = net.state_dict(), case.net.state_dict()
    for name, tensor in before.items():
        if name.rpartition(".")[0] not in tracked:
            assert torch.equal(state[name], tensor), f"{name} was changed"


def _other(x: object) -> object:
    if isinstance(x, dict):
        return {name: tensor.flip(0) for name, tensor in x.items()}
    return x.flip(-1) * 0.5 if x.is_floating_point() else x.flip(-1)
