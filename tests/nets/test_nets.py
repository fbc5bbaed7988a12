"""The nets: shapes, initial weights, errors."""

import math

import pytest
import torch
from torch import nn

from bnlab.nets import initialize, make_net
from bnlab.nets.stages import stages
from bnlab.norms import NORMS
from bnlab.norms.base import Normalizer

NETS = ("mlp", "plain", "resnet")  # binary nets and supernets have files of their own
SHAPES = [(1, 8, 8), (3, 32, 32)]
every_net = pytest.mark.parametrize("name", NETS)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=["8x8", "32x32"])


OPTIONS = {
    "group": {"group_size": 4},
    "evonorm_s0": {"group_size": 4},
    "ghost_batch": {"ghost_size": 3},
    "filter_response": {"learnable_eps": True},
}


def options(norm: str) -> dict[str, object]:
    return OPTIONS.get(norm, {})


def net_of(name: str, norm: str = "none", shape=(1, 8, 8), depth=2, width=8, seed=0, **more):
    return make_net(name, shape, 10, depth, width, norm, {**options(norm), **more}, seed)


def matrices(net: nn.Module) -> list[torch.Tensor]:
    return [p.detach() for p in net.parameters() if p.ndim >= 2]


# On (N, C), which an MLP is made of, instance norm is undefined.
@pytest.mark.parametrize(
    "name, norm", [(a, b) for a in NETS for b in NORMS if (a, b) != ("mlp", "instance")]
)
@every_shape
def test_logits_and_gradients_for_every_normalizer(name, shape, norm):
    net = net_of(name, norm, shape)
    generator = torch.Generator().manual_seed(0)
    logits = net(torch.randn(3, *shape, generator=generator))
    assert logits.shape == (3, 10)
    logits.square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())
    assert all((p.grad != 0).any() for p in net.parameters() if p.ndim >= 2)


def test_instance_norm_on_an_mlp_says_what_to_do():
    with pytest.raises(ValueError, match=r"InstanceNorm has one value a group.*inputs with posit"):
        net_of("mlp", "instance")(torch.ones(3, 1, 8, 8))


@every_net
@pytest.mark.parametrize("norm", ["batch", "layer", "group"])
@pytest.mark.parametrize("seed", [0, 3])
def test_nets_that_differ_in_their_normalizers_start_from_the_same_weights(name, norm, seed):
    one, other = matrices(net_of(name, "none", seed=seed)), matrices(net_of(name, norm, seed=seed))
    assert len(one) == len(other) > 0
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@every_net
def test_another_seed_gives_other_weights_and_the_same_seed_the_same(name):
    first, again, other = (matrices(net_of(name, seed=seed)) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_each_matrix_draws_from_a_stream_of_its_own():
    second, third = (m for m in matrices(net_of("mlp", depth=3)) if m.shape == (8, 8))
    assert not torch.isclose(second, third).any()


@every_net
@pytest.mark.parametrize("norm", NORMS)
def test_biases_start_at_zero_and_normalizers_as_the_identity(name, norm):
    net = net_of(name, norm)
    for module in net.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            assert not module.bias.any()
        if isinstance(module, Normalizer) and module.affine:
            assert (module.weight == 1).all()
            assert module.bias is None or not module.bias.any()  # RMSNorm has none


@every_net
def test_variances_are_two_over_fan_in_and_one_over_fan_in_in_the_last(name):
    weights = matrices(net_of(name, depth=3, width=64, shape=(3, 32, 32)))
    for k, w in enumerate(weights):
        fan_in = w[0].numel()
        last = k == len(weights) - 1
        assert w.abs().max() <= math.sqrt((3 if last else 6) / fan_in)
        # The variance of the sample variance of a uniform law is 0.8 var^2 / n.
        near = 5 * math.sqrt(0.8 / w.numel())
        assert w.var().item() * fan_in == pytest.approx(1 if last else 2, rel=near)


def test_the_first_weight_is_this_number_on_every_machine():
    """Stream 1000 of seed 0 starts with 1484347479; the weight is (2u - 1) sqrt(6 / 64)."""
    first = net_of("mlp").body[1].weight[0, 0].item()
    assert first == pytest.approx((2 * (1484347479 >> 8) / 2**24 - 1) * math.sqrt(6 / 64), rel=1e-7)


@every_net
def test_making_a_net_leaves_torchs_random_state(name, torch_random_state_stays):
    net_of(name, "batch")


def test_initialize_works_on_any_module_and_forgets_its_old_weights():
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2, bias=False))
    initialize(net, 0)
    before = [p.detach().clone() for p in net.parameters()]
    nn.init.constant_(net[0].weight, 9.0)
    initialize(net, 0)
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


@every_net
def test_depth_counts_what_the_docstring_says(name):
    def count(net):
        if name == "resnet":
            return len(net.blocks)
        return sum(isinstance(m, nn.Linear | nn.Conv2d) for m in net.body)

    assert [count(net_of(name, depth=depth)) for depth in (1, 2, 5)] == [1, 2, 5]


@every_net
@pytest.mark.parametrize("field", ["depth", "width"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "3", None])
def test_depth_and_width_must_be_positive_integers(name, field, value):
    with pytest.raises(ValueError, match=f"{field} must be a positive integer, got "):
        net_of(name, **{field: value})


def test_unknown_nets_normalizers_and_options():
    with pytest.raises(
        ValueError, match=r"unknown net 'resnt'\. Did you mean 'resnet'\? Known: mlp"
    ):
        net_of("resnt")
    with pytest.raises(ValueError, match=r"unknown normalizer 'lyer'\. Did you mean 'layer'"):
        net_of("mlp", "lyer")
    with pytest.raises(ValueError, match="unknown option of normalizer 'batch': 'epsilon'"):
        net_of("mlp", "batch", epsilon=1.0)
    with pytest.raises(ValueError, match="group_size must divide num_features=6"):
        make_net("plain", (1, 8, 8), 10, 2, 6, "group", {"group_size": 4})


@pytest.mark.parametrize(
    "size, depth, want",
    [
        (8, 1, [(16, 1)]),
        (8, 2, [(16, 1), (32, 2)]),
        (8, 5, [(16, 1), (16, 1), (16, 1), (32, 2), (32, 1)]),
        (32, 3, [(16, 1), (32, 2), (64, 2)]),
        (32, 6, [(16, 1), (16, 1), (32, 2), (32, 1), (64, 2), (64, 1)]),
        (32, 2, [(16, 1), (32, 2)]),
        (16, 3, [(16, 1), (32, 2), (64, 2)]),
        (16, 6, [(16, 1), (16, 1), (32, 2), (32, 1), (64, 2), (64, 1)]),
        (15, 4, [(16, 1), (16, 1), (32, 2), (32, 1)]),
        (4, 3, [(16, 1), (16, 1), (16, 1)]),
    ],
)
def test_stages_halve_the_image_and_double_the_width(size, depth, want):
    assert stages(size, depth, 16) == want


@pytest.mark.parametrize("size", [1, 7, 8, 15, 16, 31, 32, 64])
@pytest.mark.parametrize("depth", range(1, 14))
def test_stages_share_the_layers_out_evenly(size, depth):
    plan = stages(size, depth, 4)
    widths = [w for w, _ in plan]
    counts = [widths.count(w) for w in sorted(set(widths))]
    assert len(plan) == depth and widths == sorted(widths)
    assert max(counts) - min(counts) <= 1
    assert sum(stride == 2 for _, stride in plan) == len(counts) - 1
