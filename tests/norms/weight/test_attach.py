"""normalize_weights and its removal on models; eligibility; the projection; what goes wrong."""

import copy
import re

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from bnlab.nets import make_net
from bnlab.norms.weight import (
    ELIGIBLE,
    WEIGHT_NORMS,
    NormalizedReLU,
    correct_relus,
    eligible_layers,
    normalize_weights,
    project_after_step,
    project_weight_mean,
    remove_weight_norms,
    to_filters,
    weight_norm_options,
)
from tests.norms.weight.weight_cases import LAYERS, layer_and_input

every_name = pytest.mark.parametrize("name", WEIGHT_NORMS)
every_kind = pytest.mark.parametrize("kind", LAYERS)


def net(name: str = "resnet") -> nn.Module:
    return make_net(name, (3, 8, 8), 10, 2, 8, seed=1).double()


def images(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(4, 3, 8, 8, generator=generator, dtype=torch.float64)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 5) -> None:
    for step in range(steps):
        optimizer.zero_grad()
        model(images(step)).square().mean().backward()
        optimizer.step()


# --- which layers ----------------------------------------------------------------------------


class Zoo(nn.Module):
    """One layer of each kind that the rules tell apart."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)  # 27 weights a filter
        self.fifty = nn.Conv2d(2, 4, 5)  # 50: not more than 50
        self.wide = nn.Conv2d(8, 8, 3)  # 72
        self.depthwise = nn.Conv2d(8, 8, 3, groups=8)  # 9
        self.grouped = nn.Conv2d(16, 8, 3, groups=2)  # 72
        self.up = nn.ConvTranspose2d(8, 4, 3)  # 72
        self.norm = nn.BatchNorm2d(8)
        self.fc1, self.fc2 = nn.Linear(100, 100), nn.Linear(100, 10)


@pytest.mark.parametrize(
    "rule, want",
    [
        ("all", "stem fifty wide depthwise grouped up fc1 fc2"),
        ("hidden", "stem fifty wide depthwise grouped up fc1"),
        ("conv", "stem fifty wide depthwise grouped up"),
        ("mimic_cifar", "wide grouped up"),
        ("mimic_imagenet", "stem fifty wide up"),
        (["fc?", "*wise"], "depthwise fc1 fc2"),
        (lambda name, layer: name == "up" or isinstance(layer, nn.Linear), "up fc1 fc2"),
    ],
)
def test_rules_take_these_layers(rule, want):
    assert list(eligible_layers(Zoo(), rule)) == want.split()


@every_name
@pytest.mark.parametrize("rule", ELIGIBLE)
def test_only_the_eligible_layers_are_changed(name, rule):
    zoo = Zoo()
    changed = normalize_weights(zoo, name, rule)
    assert list(changed) == list(eligible_layers(Zoo(), rule))
    assert {n for n, m in zoo.named_modules() if parametrize.is_parametrized(m)} == set(changed)


# --- on and off ------------------------------------------------------------------------------


@every_name
@every_kind
def test_removal_keeps_what_the_layer_computes(name, kind):
    layer, x = layer_and_input(kind)
    normalize_weights(layer, name)
    y = layer(x)
    assert remove_weight_norms(layer) == ("",)
    assert type(layer) is type(layer_and_input(kind)[0])
    assert set(layer.state_dict()) == {"weight", "bias"}
    assert isinstance(layer.weight, nn.Parameter) and layer.weight.requires_grad
    assert torch.equal(layer(x), y)


@pytest.mark.parametrize("name", [n for n in WEIGHT_NORMS if n != "weight_norm"])
@every_kind
def test_removal_can_give_the_trained_tensor_back(name, kind):
    layer, x = layer_and_input(kind)
    weight, y = layer.weight, layer(x)
    normalize_weights(layer, name)
    assert not torch.equal(layer(x), y)
    remove_weight_norms(layer, keep="original")
    assert layer.weight is weight, "an optimizer that holds it must still reach it"
    assert torch.equal(layer(x), y)


def test_removal_of_nothing_is_no_error_and_leaves_other_parametrizations():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    parametrize.register_parametrization(model[0], "weight", nn.Tanh(), unsafe=True)
    normalize_weights(model, "weight_mean", ["1"])
    assert remove_weight_norms(model) == ("1",)
    assert parametrize.is_parametrized(model[0])
    assert remove_weight_norms(model) == ()


@every_name
def test_an_assigned_weight_is_normalized(name):
    layer, _ = layer_and_input("transposed2d")
    normalize_weights(layer, name)
    other, _ = layer_and_input("transposed2d", seed=3)
    normalize_weights(other, name)
    layer.weight = layer_and_input("transposed2d", seed=3)[0].weight.detach()
    torch.testing.assert_close(layer.weight, other.weight, rtol=0, atol=1e-14)


@every_name
@pytest.mark.parametrize("model", ["mlp", "plain", "resnet"])
def test_models_train_with_it(name, model):
    # Standardized filters of std 1 need a normalizer of activations after them.
    norm = "batch" if name == "weight_standardization" else "none"
    model = make_net(model, (3, 8, 8), 10, 2, 8, norm).double()
    normalize_weights(model, name, "hidden")
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    train(model, torch.optim.SGD(model.parameters(), lr=0.01))
    for key, p in model.named_parameters():
        assert torch.isfinite(p).all()
        if not (norm == "batch" and key.endswith("bias")):  # BatchNorm takes a layer's bias away
            assert not torch.equal(p, before[key]), key


# --- weight mean as a projection -------------------------------------------------------------


@every_kind
def test_the_projection_takes_the_mean_of_each_filter_away(kind):
    layer, _ = layer_and_input(kind)
    same, _ = layer_and_input(kind)
    assert project_weight_mean(layer, "all") == ("",)
    rows = to_filters(layer.weight, getattr(layer, "groups", 1), kind.startswith("transposed"))
    assert rows.detach().flatten(1).mean(1).abs().max() < 1e-15
    normalize_weights(same, "weight_mean")
    torch.testing.assert_close(layer.weight, same.weight, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "make, equal",
    [
        (lambda p: torch.optim.SGD(p, lr=0.05), True),
        (lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01), True),
        (lambda p: torch.optim.Adam(p, lr=0.01), False),
    ],
    ids=["sgd", "momentum and decay", "adam"],
)
def test_projection_and_parametrization_give_the_same_run_with_sgd_only(make, equal):
    projected, computed = net(), net()
    optimizer = make(projected.parameters())
    project_after_step(optimizer, projected, "mimic_cifar")
    normalize_weights(computed, "weight_mean", "mimic_cifar")
    train(projected, optimizer)
    train(computed, make(computed.parameters()))
    difference = (projected(images()) - computed(images())).abs().max().item()
    assert (difference < 1e-10) == equal
    for layer in eligible_layers(projected, "mimic_cifar").values():
        assert layer.weight.detach().flatten(1).mean(1).abs().max() < 1e-15


def test_the_hook_projects_at_once_after_each_step_and_ends():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    handle = project_after_step(optimizer, model, "conv")
    mean = model.blocks[0].conv1.weight.detach().flatten(1).mean(1)
    assert mean.abs().max() < 1e-15
    handle.remove()
    train(model, optimizer, 1)
    assert model.blocks[0].conv1.weight.detach().flatten(1).mean(1).abs().max() > 1e-9


def test_the_projection_leaves_gradients_and_momentum_alone():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    train(model, optimizer, 2)
    layer = model.blocks[0].conv1
    grad = layer.weight.grad.clone()
    momentum = optimizer.state[layer.weight]["momentum_buffer"].clone()
    project_weight_mean(model, "conv")
    assert torch.equal(layer.weight.grad, grad)
    assert torch.equal(optimizer.state[layer.weight]["momentum_buffer"], momentum)


# --- the corrected ReLU ----------------------------------------------------------------------


def test_relus_are_replaced_wherever_they_are():
    relu = nn.ReLU()
    model = nn.Sequential(nn.Linear(2, 2), relu, nn.Sequential(nn.Linear(2, 2), relu))
    assert correct_relus(model) == ("1", "2.1")
    assert isinstance(model[1], NormalizedReLU) and isinstance(model[2][1], NormalizedReLU)
    for nothing in (nn.Linear(2, 2), nn.ReLU()):
        with pytest.raises(ValueError, match=r"has no nn\.ReLU inside to replace.*normalized_relu"):
            correct_relus(nothing)


# --- bad input -------------------------------------------------------------------------------


def broken(change) -> nn.Module:
    layer = nn.Linear(4, 3)
    with torch.no_grad():
        change(layer.weight)
    return nn.Sequential(layer)


def tied() -> nn.Module:
    model = nn.ModuleDict({"embedding": nn.Embedding(3, 4), "out": nn.Linear(4, 3)})
    model["out"].weight = model["embedding"].weight
    return model


def twice() -> nn.Module:
    model = nn.Sequential(nn.Linear(4, 3))
    normalize_weights(model, "weight_mean")
    return model


@pytest.mark.parametrize(
    "make, name, options, message",
    [
        (
            net,
            "weight_nrom",
            {},
            "unknown normalizer of weights 'weight_nrom'. Did you mean 'wei",
        ),
        (net, "weight_norm", {"epz": 1}, "option of normalizer 'weight_norm': 'epz'. Did you mean"),
        (net, "weight_mean", {"eps": 1}, "unknown option of normalizer 'weight_mean': 'eps'"),
        (net, "weight_norm", {"eligible": "hiden"}, "eligible layers 'hiden'. Did you mean 'hidd"),
        (net, "weight_norm", {"eligible": ["x"]}, "takes no layer of this ResNet. Its Linear and"),
        (
            nn.ReLU,
            "weight_norm",
            {},
            "takes no layer of this ReLU. Its Linear and Conv layers: no",
        ),
        (
            lambda: nn.Linear(2, 2),
            "weight_norm",
            {"eligible": "hidden"},
            "Its Linear and Conv layers: the model itself (Linear). Choose another rule: all",
        ),
        (net, "weight_norm", {"eps": -1.0}, "layer 'stem.0': eps must be zero or a positive numb"),
        (
            net,
            "weight_norm",
            {"eps": float("nan")},
            "eps must be zero or a positive number, got n",
        ),
        (net, "weight_norm", {"eps": True}, "eps must be a number, got True"),
        (
            net,
            "weight_standardization",
            {"eps": "1"},
            "eps must be a number, got '1'",
        ),
        (
            net,
            "weight_norm",
            {"gain": "kep"},
            "gain must be 'keep' or a positive number, got 'ke",
        ),
        (net, "weight_norm", {"gain": 0}, "gain must be 'keep' or a positive number, got 0"),
        (
            net,
            "scaled_weight_standardization",
            {"gamma": "rellu"},
            "unknown gamma 'rellu'. Did you mean 'relu'? Known: linear, relu, a positive number",
        ),
        (
            net,
            "scaled_weight_standardization",
            {"gamma": -1},
            "gamma must be 'relu', 'linear' or a positive number, got -1",
        ),
        (
            twice,
            "weight_norm",
            {},
            "weight of layer '0' has a parametrization already. Take it",
        ),
        (tied, "weight_norm", {}, "layer 'out' shares its weight (embedding, out)"),
        (lambda: nn.LazyLinear(3), "weight_mean", {}, "pass an input through the model first"),
        (
            lambda: broken(lambda w: w[1].zero_()),
            "weight_norm",
            {},
            "layer '0': WeightNorm got a filter of zeros, which has no direction. Use eps > 0",
        ),
        (
            lambda: broken(lambda w: w[2].fill_(0.1)),
            "weight_standardization",
            {"eps": 0.0},
            "layer '0': WeightStandardization got a filter whose weights are all equal",
        ),
        (
            lambda: broken(lambda w: w[2].fill_(0.1)),
            "scaled_weight_standardization",
            {"eps": 0.0},
            "layer '0': ScaledWeightStandardization got a filter whose weights are all equal",
        ),
    ],
)
def test_bad_input(make, name, options, message):
    model = make()
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match=re.escape(message)):
        normalize_weights(model, name, **options)
    assert str(model) == str(before), "nothing may have changed"


@every_name
def test_nan_and_complex_weights_are_refused(name):
    with pytest.raises(ValueError, match=r"layer '0': \w+ got a weight with NaN or infinite value"):
        normalize_weights(broken(lambda w: w[0, 0].fill_(torch.nan)), name)
    with pytest.raises(TypeError, match=r"takes real floating-point weights, got torch.complex64"):
        normalize_weights(nn.Linear(2, 2, dtype=torch.complex64), name)


@pytest.mark.parametrize("name", [n for n in WEIGHT_NORMS if n != "weight_norm"])
@pytest.mark.parametrize("layer", [nn.Linear(1, 4), nn.Conv2d(4, 4, 1, groups=4)], ids=str)
def test_filters_of_one_weight_cannot_be_centred(name, layer):
    with pytest.raises(ValueError, match=r"would make every weight of this layer 0.*eligible="):
        normalize_weights(nn.Sequential(layer), name)


@pytest.mark.parametrize("eligible", [3, [3], None])
def test_eligible_must_be_a_rule(eligible):
    with pytest.raises(TypeError, match="eligible must be text or values in a row"):
        eligible_layers(net(), eligible)


def test_errors_of_removal_and_projection():
    model = net()
    normalize_weights(model, "weight_norm")
    with pytest.raises(ValueError, match=r"trains two tensors.*Use keep='normalized'"):
        remove_weight_norms(model, keep="original")
    with pytest.raises(ValueError, match=r"unknown keep 'orginal'\. Did you mean 'original'"):
        remove_weight_norms(model, keep="orginal")
    with pytest.raises(ValueError, match=r"computes its weight.*Use one of the two"):
        project_weight_mean(model, "conv")
    model = nn.Sequential(nn.Linear(2, 2))
    normalize_weights(model, "weight_mean")
    parametrize.register_parametrization(model[0], "weight", nn.Tanh(), unsafe=True)
    with pytest.raises(ValueError, match="layer '0' has further parametrizations of its weight"):
        remove_weight_norms(model)


def test_options_are_listed_by_name():
    assert weight_norm_options("weight_norm") == ("gain", "eps")
    assert weight_norm_options("weight_mean") == ()
    assert weight_norm_options("scaled_weight_standardization") == ("eps", "gain", "gamma")
