"""The largest stable rate: exact on quadratics, both definitions, surprises, untouched nets."""

import functools
import math

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.measure.rates.bisection import bisect_rate
from bnlab.measure.rates.stability import measure_stable_rate
from tests.measure.landscape.landscape_cases import batch, cross_entropy, dropout_net, small_net


def quadratic(curvature):
    """A net whose loss under ``mse`` is curvature / 2 * w^2, starting at w = 1."""
    net = nn.Linear(1, 1, bias=False).double()
    nn.init.ones_(net.weight)
    x = torch.full((1, 1), math.sqrt(curvature / 2), dtype=torch.float64)
    return net, [(x, torch.zeros(1, 1, dtype=torch.float64))]


@pytest.mark.parametrize("curvature", [0.3, 20.0])
@pytest.mark.parametrize("tolerance", [1.05, 1.001])
def test_a_quadratic_rises_at_two_over_its_curvature(curvature, tolerance):
    net, batches = quadratic(curvature)
    found = measure_stable_rate(net, nn.MSELoss(), batches, tolerance=tolerance)
    assert found.rise.stable <= 2 / curvature <= found.rise.unstable
    assert found.rise.unstable / found.rise.stable <= tolerance
    # In 15 steps the loss grows (1 - lr c)^30-fold: a thousandfold at |1 - lr c| = 1000^(1/30).
    wanted = (1 + 1000 ** (1 / 30)) / curvature
    assert found.divergence.stable <= wanted <= found.divergence.unstable
    assert found.divergence.unstable / found.divergence.stable <= tolerance
    assert not found.rise.surprises and not found.divergence.surprises


def test_heavy_ball_is_stable_up_to_two_times_one_plus_momentum():
    # Without noise and for many steps; a momentum's loss may rise on the way, so: divergence.
    net, batches = quadratic(4.0)
    found = measure_stable_rate(
        net,
        nn.MSELoss(),
        batches,
        steps=2000,
        rules=["divergence"],
        tolerance=1.005,
        low=0.1,
        high=10,
        optimizer=functools.partial(torch.optim.SGD, momentum=0.5),
    )
    assert found.rise is None
    wanted = 2 * 1.5 / 4
    assert found.divergence.stable == pytest.approx(wanted, rel=0.02)


def test_every_trial_is_recorded_with_its_losses():
    net, batches = quadratic(1.0)
    found = measure_stable_rate(net, nn.MSELoss(), batches, low=0.1, high=50, steps=6)
    assert [t.rate for t in found.trials] == sorted(t.rate for t in found.trials)
    assert found.trials[0].rate == 0.1 and found.trials[-1].rate == 50
    for trial in found.trials:
        taken = len(trial.before)
        wanted = [0.5 * (1 - trial.rate) ** (2 * t) for t in range(taken + 1)]
        np.testing.assert_allclose(trial.before, wanted[:-1], rtol=1e-9, atol=1e-25)
        np.testing.assert_allclose(trial.after, wanted[1:], rtol=1e-9, atol=1e-25)
        rises = trial.rate > 2
        assert trial.rise_at == (1 if rises else None)
        over = [t for t in range(1, taken + 1) if wanted[t] > 1000 * wanted[0]]
        assert trial.diverged_at == (over[0] if over else None)
        assert taken == (over[0] if over else 6)
        assert trial.stable("rise") == (not rises)


def test_batches_are_taken_in_turn_and_judged_by_their_own_loss():
    net = small_net("batch")
    batches = [batch(seed) for seed in (1, 2, 3)]
    found = measure_stable_rate(net, cross_entropy, batches, low=0.01, high=0.02, steps=4)
    twin = small_net("batch").train()
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.01)
    for step in range(4):
        x, y = batches[step % 3]
        optimizer.zero_grad()
        loss = cross_entropy(twin(x), y)
        loss.backward()
        optimizer.step()
        assert found.trials[0].before[step] == pytest.approx(loss.item(), rel=1e-12)
        after = cross_entropy(twin(x), y).item()
        assert found.trials[0].after[step] == pytest.approx(after, rel=1e-12)


def test_noise_alone_raises_no_loss():
    # Each update is judged under the noise that it was made for.
    net, pair = dropout_net(), batch()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = measure_stable_rate(net, cross_entropy, [pair], low=1e-6, high=1e-5, steps=10)
    assert found.rise.unstable is None
    losses = found.trials[0].before
    assert np.ptp(losses) > 1e-3  # the noise is another one at each step
    assert (np.abs(found.trials[0].after - losses) < 1e-3).all()
    np.testing.assert_allclose(found.trials[-1].before, losses, rtol=1e-2)  # the same at each rate


def test_open_ends_are_said_to_be_open():
    net, batches = quadratic(1.0)
    low = measure_stable_rate(net, nn.MSELoss(), batches, low=10, high=100)
    assert low.rise.stable is None and low.rise.unstable == 10 and str(low.rise) == "below 10"
    high = measure_stable_rate(net, nn.MSELoss(), batches, low=0.01, high=0.1)
    assert high.rise.unstable is None and str(high.divergence) == "at least 0.1"
    assert "at least 0.1" in high.plot().alt and "below 10" in low.plot().alt


def test_what_is_stable_again_further_up_is_reported():
    def losses_at(rate):
        unstable = 0.5 < rate < 2 or rate > 30
        return [1.0, 5000.0 if unstable else 0.5]

    found = bisect_rate(losses_at, 0.01, 100, tolerance=1.01)
    for bracket in (found.rise, found.divergence):
        assert bracket.stable <= 0.5 < bracket.unstable
        assert bracket.unstable / bracket.stable <= 1.01
        assert bracket.surprises == pytest.approx((10**0.5, 10, 10**1.5)[:2])
    assert "Stable again above: 3.16, 10" in found.plot().alt


def test_the_two_rules_share_their_trials():
    calls = []

    def losses_at(rate):
        calls.append(rate)
        return [1.0, 1.1 if rate > 0.5 else 0.9, 1e4 if rate > 5 else 0.8]

    found = bisect_rate(losses_at)
    assert len(calls) == len(set(calls)) == len(found.trials)
    assert found.rise.stable <= 0.5 < found.rise.unstable
    assert found.divergence.stable <= 5 < found.divergence.unstable
    rounding = bisect_rate(lambda rate: [1.0, 1.0 + 1e-7])
    assert rounding.rise.unstable is None
    lost = bisect_rate(lambda rate: [1.0, math.nan])
    assert lost.rise.stable is None and lost.trials[0].after[0] == math.inf


def test_bad_input_is_refused():
    net, (x, y) = small_net("batch"), batch()
    for changes, message in (
        ({"low": 0.0}, "low must be"),
        ({"low": 1.0, "high": 1.0}, "high must be larger than low=1"),
        ({"high": 1e-5}, "high must be"),
        ({"tolerance": 1.0}, "tolerance must be"),
        ({"bound": 0.5}, "bound must be"),
        ({"rules": "rise"}, "rules must be values in a row"),
        ({"rules": ["rises"]}, "Did you mean 'rise'"),
        ({"steps": 0}, "steps must be a positive integer"),
        ({"mode": "test"}, "mode must be"),
        ({"batches": []}, "at least one pair"),
        ({"batches": x}, "batches must be|list of pairs"),
        ({"batches": [(x,)]}, "each of them 2 values"),
        ({"loss": lambda a, b: a.sum() * math.nan}, "is nan: it must be finite"),
        ({"loss": lambda a, b: b.double().mean()}, "does not depend on any parameter"),
    ):
        given = {"net": net, "loss": cross_entropy, "batches": [(x, y)], **changes}
        with pytest.raises(ValueError, match=message):
            measure_stable_rate(**given)
    with pytest.raises(ValueError, match="at least two losses"):
        bisect_rate(lambda rate: [1.0])
    with pytest.raises(ValueError, match="first loss is inf"):
        bisect_rate(lambda rate: [math.inf, 1.0])


def test_the_figure_says_the_result():
    net, pair = small_net("batch"), batch()
    found = measure_stable_rate(net, cross_entropy, [pair], low=0.01)
    alt = found.plot("batch").alt
    assert f"first rise of the loss {found.rise}" in alt
    assert f"divergence {found.divergence}" in alt and "batch norm" in alt
