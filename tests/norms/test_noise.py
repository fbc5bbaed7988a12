"""Noisy BatchNorm: its noise is that of the formula, the same everywhere, and nobody else's."""

import math

import numpy as np
import pytest
import torch

from bnlab import random
from bnlab.nets import make_net
from bnlab.norms import BatchNorm, NoisyBatchNorm
from bnlab.norms.noise import BLOCK, key_of, normal, uniform
from bnlab.random import NOISE


@pytest.mark.parametrize("seed, stream", [(0, 2000), (7, 2003), (2**32 - 1, 2000)])
@pytest.mark.parametrize("step", [0, 1, 1000])
@pytest.mark.parametrize("count", [1, 10, BLOCK + 3])
def test_uniform_numbers_are_those_of_the_one_generator(seed, stream, step, count):
    word = step ^ int(random.bits(seed, stream, 1)[0])
    got = uniform(key_of(seed, stream), torch.tensor(step), count)
    assert got.dtype == torch.float32
    assert np.array_equal(got.double().numpy(), random.uniform(word, stream, count))


def test_normal_numbers_follow_box_and_muller():
    u = torch.tensor([0.0, 0.5, 0.25, 0.75])
    radius = math.sqrt(2 * math.log(2))
    assert normal(u).tolist() == pytest.approx([0, 0, 0, -radius])
    z = normal(uniform(key_of(0, 1), torch.tensor(0), 200_000)).numpy()
    assert abs(z.mean()) < 0.01 and abs(z.var() - 1) < 0.02
    assert abs((z**4).mean() - 3) < 0.1 and abs(np.corrcoef(z[:100_000], z[100_000:])[0, 1]) < 0.01


def step_word(layer_number, seed, step):
    return step ^ int(random.bits(seed, NOISE + layer_number, 1)[0])


@pytest.mark.parametrize("shape", [(3, 5), (2, 5, 3, 1)], ids=str)
def test_the_noise_is_that_of_the_formula(shape):
    """Once more in numpy, value by value; the count of values is odd in one case."""
    n_mu, n_sigma, r_mu, r_sigma = 0.4, 1.5, 0.2, 0.3
    layer = NoisyBatchNorm(
        5, n_mu=n_mu, n_sigma=n_sigma, r_mu=r_mu, r_sigma=r_sigma, noise_seed=11
    ).double()
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    layer(x)
    y = layer(x).detach().numpy()  # the second step: number 1
    n, c = x.numel(), 5
    u = random.uniform(step_word(0, 11, 1), NOISE, 2 * c + 2 * n + n % 2)
    mu, sigma, shift, rest = np.split(u, [c, 2 * c, 2 * c + n])
    half = len(rest) // 2
    z = [
        math.sqrt(-2 * math.log(1 - rest[i % half]))
        * (math.cos if i < half else math.sin)(2 * math.pi * rest[half + i % half])
        for i in range(n)
    ]
    plain = BatchNorm(5).double()(x).detach().numpy()
    for i, index in enumerate(np.ndindex(shape)):
        j = index[1]
        m = n_mu * (2 * mu[j] - 1) + r_mu * (2 * shift[i] - 1)
        s = 1 + (n_sigma - 1) * sigma[j] + r_sigma * z[i]
        assert y[index] == pytest.approx(s * plain[index] + m, abs=1e-12)


def test_the_papers_parameters_and_their_spread():
    layer = NoisyBatchNorm(200)
    assert (layer.n_mu, layer.n_sigma, layer.r_mu, layer.r_sigma) == (0.5, 1.25, 0.1, 0.1)
    factor, shift = layer.draw(torch.zeros(1000, 200))
    of_channel = shift.mean(0)
    assert of_channel.abs().max() < 0.51 and of_channel.std().item() == pytest.approx(
        1 / math.sqrt(12), rel=0.1
    )
    spread = (shift - of_channel).abs()
    assert spread.max() < 0.11
    assert (shift - of_channel).std().item() == pytest.approx(0.2 / math.sqrt(12), rel=0.02)
    of_channel = factor.mean(0)
    assert of_channel.min() > 0.98 and of_channel.max() < 1.27
    assert (factor - of_channel).std().item() == pytest.approx(0.1, rel=0.02)


def test_each_step_has_noise_of_its_own_and_evaluation_has_none(torch_random_state_stays):
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    layer, again = NoisyBatchNorm(4), NoisyBatchNorm(4)
    first, second = layer(x), layer(x)
    assert not torch.allclose(first, second, atol=1e-2)
    assert torch.equal(again(x), first) and torch.equal(again(x), second)
    plain = BatchNorm(4)
    plain(x), plain(x)
    assert torch.equal(layer.eval()(x), plain.eval()(x))
    assert layer.noise_step.item() == 2


def test_the_gradient_passes_through_the_factor_alone():
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)).double().requires_grad_()
    layer = NoisyBatchNorm(4).double()
    factor, shift = layer.draw(x)
    assert not factor.requires_grad and not shift.requires_grad
    dy = torch.ones_like(x).cumsum(0)
    (got,) = torch.autograd.grad(layer(x), x, dy)
    (want,) = torch.autograd.grad(BatchNorm(4).double()(x), x, dy * factor)
    torch.testing.assert_close(got, want)


def test_float64_and_float32_see_the_same_noise():
    x = torch.randn(6, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    single, double = NoisyBatchNorm(4).draw(x), NoisyBatchNorm(4).double().draw(x.double())
    assert all(torch.equal(a, b.float()) for a, b in zip(single, double, strict=True))


@pytest.mark.parametrize("name", ["mlp", "plain", "resnet"])
def test_every_layer_of_a_net_and_every_seed_has_its_own_noise(name):
    def noise(seed, noise_seed=0):
        net = make_net(name, (1, 8, 8), 10, 2, 8, "noisy_batch", {"noise_seed": noise_seed}, seed)
        layers = [m for m in net.modules() if isinstance(m, NoisyBatchNorm)]
        return [layer.draw(torch.zeros(3, layer.num_features))[1][:, :8] for layer in layers]

    first, again, other = noise(0), noise(0), noise(1)
    assert all(torch.equal(a, b) for a, b in zip(noise(2, 3), noise(4, 1), strict=True))
    assert len(first) >= 2
    for i, one in enumerate(first):
        assert torch.equal(one, again[i]) and not torch.allclose(one, other[i], atol=0.01)
        assert not any(torch.allclose(one, two, atol=0.01) for two in first[i + 1 :])


def test_the_place_is_a_stream_and_the_seeds_add_up():
    layer, same = NoisyBatchNorm(4, noise_seed=3), NoisyBatchNorm(4, noise_seed=5)
    layer.place(2, seed=4)
    same.place(2, seed=2)
    assert torch.equal(layer.noise_key, same.noise_key)
    assert torch.equal(layer.noise_key, key_of(7, NOISE + 2))
    assert not torch.equal(layer.noise_key, NoisyBatchNorm(4, noise_seed=7).noise_key)
