"""What B2 does to a net: one update, stretched to a length, and the variances on both sides."""

import numpy as np
import pytest
import torch

from bnlab.chapters.learning_rates import b2_explosion as b2
from bnlab.measure import block_variances


def test_the_scaled_net_differs_in_the_last_convolution_of_each_block_alone():
    run = b2.BASE.replace(depth=3, width=4)
    plain, scaled = (dict(b2._trainer(n, run).net.named_parameters()) for n in ("none", "scaled"))
    for name, weight in plain.items():
        factor = 3**-0.5 if name.endswith("conv2.weight") else 1
        assert torch.equal(scaled[name], weight * factor), name


def test_an_update_is_stretched_to_the_length_that_is_given():
    run = b2.BASE.replace(seed=0, lr=0.1)
    _, before, after = b2._profiles("batch", run, 1, None)
    fresh = b2._trainer("batch", run.replace(precision="float64"))
    wanted = block_variances(fresh.net, fresh.train_x[: b2.PROBE_IMAGES])
    assert before == pytest.approx(list(wanted), rel=1e-3)
    assert b2._profiles("batch", run, 1, 1e-9) == (1e-9, before, before)
    assert after != before


def test_parameters_come_back_from_a_vector_whatever_their_order_in_memory():
    net = torch.nn.Conv2d(2, 3, 3).to(memory_format=torch.channels_last)
    before = [p.detach().clone() for p in net.parameters()]
    vector = b2._vector(net.parameters())
    b2._give(net.parameters(), 2 * vector)
    for p, old in zip(net.parameters(), before, strict=True):
        assert torch.equal(p, 2 * old)
    assert torch.equal(b2._vector(net.parameters()), 2 * vector)


@pytest.fixture
def data():
    """Two seeds: one net explodes, the other grows ten times less and never diverged."""
    rows = [
        ["none", 0, 2.3, 0.1, 2, [1.0, 10.0], [1.0, 1e6]],
        ["none", 1, 2.3, 0.3, 2, [1.0, 10.0], [1.0, 1e5]],
        ["batch", 0, 2.3, None, 2, [1.0, 2.0], [1.0, 2.0]],
        ["batch", 1, 2.3, 3.0, 2, [1.0, 2.0], [1.0, 20.0]],
    ]
    trained = [
        [net, lr, seed, 0.9 if lr == best else 0.2, None]
        for net, best in (("none", 1e-4), ("scaled", 0.01), ("batch", 0.3))
        for lr in b2.TRAINED_LRS[net]
        for seed in (0, 1)
    ]
    return {
        "columns": list(b2.COLUMNS),
        "rows": rows,
        "seeds": [0, 1],
        "trained_columns": list(b2.TRAINED_COLUMNS),
        "trained": trained,
    }


def test_growth_is_in_decades_and_rates_that_never_diverged_count_beyond_the_grid(data):
    assert b2.growth(data, "none") == pytest.approx([5, 4])
    assert b2.growth(data, "batch") == pytest.approx([0, 1])
    assert b2.diverging_rate(data, "batch") == pytest.approx([b2.BEYOND, 3.0])
    assert max(b2.LRS) < b2.BEYOND
    assert b2.values(data)["rate"] == pytest.approx(np.log10([b2.BEYOND / 0.1, 10]))


def test_a_growth_beyond_the_bound_counts_as_the_bound(data):
    data["rows"][0][-1] = [1.0, 1e60]
    assert b2.values(data)["explode"] == pytest.approx([b2.MOST, 4])


def test_a_net_may_bear_a_rate_and_not_learn_at_it(data):
    assert b2.values(data)["usable"] == pytest.approx(np.log10([30, 30]))
    assert b2.borne(data) == (1, 0)
