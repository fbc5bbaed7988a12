"""Slices of the loss and the directions they go: values from the formulas."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.measure.landscape.directions import (
    filter_normalized,
    gradient_direction,
    random_direction,
)
from bnlab.measure.landscape.slices import measure_line_slice, measure_plane_slice
from tests.measure.landscape.landscape_cases import (
    KINDS,
    batch,
    cross_entropy,
    dropout_net,
    small_net,
    weights_at,
)

T = [-1.0, 0.0, 0.25]


def loss_at(net, direction, t, x, y, mode="train"):
    twin = weights_at(net, direction, t).train(mode == "train")
    return cross_entropy(twin(x), y).item()


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("norm", KINDS)
def test_a_line_is_the_loss_of_moved_weights(norm, mode):
    net, (x, y) = small_net(norm), batch()
    d = random_direction(net, 3)
    found = measure_line_slice(net, cross_entropy, x, y, d, T, mode)
    wanted = [loss_at(net, d, t, x, y, mode) for t in T]
    np.testing.assert_allclose(found.losses, wanted, rtol=1e-12)
    assert found.loss == pytest.approx(wanted[1], rel=1e-12)
    assert found.t.tolist() == T and found.mode == mode


@pytest.mark.parametrize("norm", ["none", "noisy_batch"])
def test_a_plane_is_the_loss_of_moved_weights(norm):
    net, (x, y) = small_net(norm), batch()
    d, e = random_direction(net, 3), random_direction(net, 4)
    found = measure_plane_slice(net, cross_entropy, x, y, (d, e), [0.0, 0.5], [-1.0, 0.0, 2.0])
    for i, a in enumerate((0.0, 0.5)):
        for j, b in enumerate((-1.0, 0.0, 2.0)):
            both = {name: a * d[name] + b * e[name] for name in d}
            assert found.losses[i, j] == pytest.approx(loss_at(net, both, 1, x, y), rel=1e-12)
    flat = [torch.cat([v.flatten() for v in one.values()]) for one in (d, e)]
    cosine = float(flat[0] @ flat[1] / math.sqrt((flat[0] @ flat[0]) * (flat[1] @ flat[1])))
    assert found.cosine == pytest.approx(cosine, rel=1e-12)


def test_noise_is_the_same_on_the_whole_line():
    net, (x, y) = dropout_net(), batch()
    found = measure_line_slice(net, cross_entropy, x, y, random_direction(net), [-1e-9, 0, 1e-9])
    np.testing.assert_allclose(found.losses, found.loss, rtol=1e-6)


def test_a_random_direction_is_normal_and_follows_its_seed(torch_random_state_stays):
    net = small_net("batch")
    big = make_big()
    numbers = torch.cat([v.flatten() for v in random_direction(big, 1).values()])
    assert abs(numbers.mean()) < 4 / math.sqrt(len(numbers))
    assert abs(numbers.var() - 1) < 4 * math.sqrt(2 / len(numbers))
    assert abs((numbers**4).mean() - 3) < 4 * math.sqrt(96 / len(numbers))
    one, same, other = (random_direction(net, seed) for seed in (1, 1, 2))
    assert all(torch.equal(one[k], same[k]) for k in one)
    assert not any(torch.equal(one[k], other[k]) for k in one)
    assert set(one) == {name for name, _ in net.named_parameters()}
    assert not torch.equal(one["body.2.weight"], one["body.2.bias"])
    with pytest.raises(ValueError, match="seed must be"):
        random_direction(net, -1)


def make_big():
    with torch.random.fork_rng():
        return nn.Linear(101, 99)  # an odd number of weights


def test_the_gradient_direction_is_the_gradient():
    net, (x, y) = small_net("batch"), batch()
    found = gradient_direction(net, cross_entropy, x, y)
    twin = copy.deepcopy(net).train()
    cross_entropy(twin(x), y).backward()
    for name, p in twin.named_parameters():
        torch.testing.assert_close(found[name], p.grad, rtol=1e-12, atol=1e-14)


def test_filters_get_the_length_of_the_nets_own():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Linear(4, 5)).double()
    with torch.no_grad():
        net[0].weight[1] = 0
    d = random_direction(net, 1)
    found = filter_normalized(net, d)
    for layer, rows in ((0, 3), (2, 5)):
        for o in range(rows):
            w, v = net[layer].weight[o].detach(), d[f"{layer}.weight"][o]
            wanted = v * (math.sqrt(float((w**2).sum())) / math.sqrt(float((v**2).sum())))
            torch.testing.assert_close(found[f"{layer}.weight"][o], wanted, rtol=1e-12, atol=0)
    for name in ("0.bias", "1.weight", "1.bias", "2.bias"):
        assert not found[name].any()
    d["2.weight"] = torch.zeros(5, 4, dtype=torch.float64)
    assert not filter_normalized(net, d)["2.weight"].any()


def test_the_filters_of_a_transposed_convolution_are_its_outputs():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.ConvTranspose2d(4, 6, 2, groups=2)).double()
    d = random_direction(net, 1)
    found = filter_normalized(net, d)["0.weight"]
    for o in range(6):
        group, i = divmod(o, 3)
        rows = slice(2 * group, 2 * group + 2)
        w, v = net[0].weight.detach()[rows, i], d["0.weight"][rows, i]
        wanted = v * (w.norm() / v.norm())
        torch.testing.assert_close(found[rows, i], wanted, rtol=1e-12, atol=0)


def test_a_filter_normalized_slice_does_not_see_the_size_of_normalized_weights():
    # BatchNorm with eps = 0 makes the loss ignore the scale of the matrix before it.
    net, (x, y) = small_net("batch"), batch()
    for m in net.modules():
        if hasattr(m, "eps"):
            m.eps = 0.0
    large = copy.deepcopy(net)
    with torch.no_grad():
        large.body[1].weight *= 10
        large.body[4].weight *= 0.1
    slices = [
        measure_line_slice(n, cross_entropy, x, y, filter_normalized(n, random_direction(n)), T)
        for n in (net, large)
    ]
    np.testing.assert_allclose(slices[0].losses, slices[1].losses, rtol=1e-9)
    raw = [measure_line_slice(n, cross_entropy, x, y, random_direction(n), T) for n in (net, large)]
    assert abs(raw[0].losses[0] - raw[1].losses[0]) > 1e-3


def test_parametrized_weights_have_directions_too():
    net, (x, y) = small_net("none"), batch()
    nn.utils.parametrizations.weight_norm(net.head)
    d = filter_normalized(net, random_direction(net))
    found = measure_line_slice(net, cross_entropy, x, y, d, T)
    assert found.losses[1] == pytest.approx(found.loss) and found.losses[0] != found.loss


def test_bad_input_is_refused():
    net, (x, y) = small_net("batch"), batch()
    d = random_direction(net)
    name = "body.2.weight"
    for wrong, message in (
        ({**d, "more": d[name]}, "a tensor for each parameter"),
        ([1.0], "must be a dict, got"),
        ({**d, name: d[name][:2]}, r"'body\.2\.weight' must have the parameter's shape \(6,\)"),
        ({**d, name: d[name] * math.nan}, "not finite"),
    ):
        with pytest.raises(ValueError, match=message):
            measure_line_slice(net, cross_entropy, x, y, wrong)
        with pytest.raises(ValueError, match=message):
            filter_normalized(net, wrong)
    with pytest.raises(ValueError, match="t must be a row"):
        measure_line_slice(net, cross_entropy, x, y, d, [math.inf])
    with pytest.raises(ValueError, match="directions must be 2 values"):
        measure_plane_slice(net, cross_entropy, x, y, d)
    zero = {key: 0 * value for key, value in d.items()}
    with pytest.raises(ValueError, match="no plane"):
        measure_plane_slice(net, cross_entropy, x, y, (d, zero))
    with pytest.raises(ValueError, match="loss at the net's own weights is nan"):
        measure_line_slice(net, lambda a, b: a.sum() * math.nan, x, y, d)
    with pytest.raises(ValueError, match="must give a scalar"):
        measure_plane_slice(net, lambda a, b: a, x, y, (d, d))


def test_the_figures_say_the_result():
    net, (x, y) = small_net("batch"), batch()
    d, e = random_direction(net, 3), random_direction(net, 4)
    line = measure_line_slice(net, cross_entropy, x, y, d, T)
    assert f"{line.loss:.3g} at 0" in line.plot("batch").alt
    plane = measure_plane_slice(net, cross_entropy, x, y, (d, e), T, T)
    assert f"{plane.losses.max():.3g} at most" in plane.plot("mine").alt
    assert "mine" in plane.plot("mine").alt
    plane.losses[0, 0] = np.inf
    assert "infinity at most" in plane.plot().alt
    assert "1 points, not finite" in plane.plot().caption
