"""B9: what is trained, and when a share of a gain may be told."""

import numpy as np
import pytest

from bnlab import claims
from bnlab.chapters.learning_rates import b9_one_norm as b9
from bnlab.train import Run, build
from bnlab.verdicts.interval import interval

FEW = b9.BASE.replace(depth=1, width=2, steps=2, eval_every=2)


def test_the_net_in_between_has_one_batchnorm_right_before_the_last_layer():
    nets = {net: build(FEW.replace(**fields)) for net, fields in b9.NETS.items()}
    norms = {
        net: [m for m in found.modules() if "BatchNorm" in type(m).__name__]
        for net, found in nets.items()
    }
    assert len(norms["none"]) == 0 and len(norms["head"]) == 1 and len(norms["batch"]) > 1
    (one,) = norms["head"]
    features = nets["none"].head.in_features
    assert one.weight.shape == one.bias.shape == (features,)


@pytest.fixture
def data():
    """Two tuning seeds and eight counted; the gain at own rates is 0.09, 0.06 of it by one."""
    best = {"none": 0.012, "head": 0.05, "batch": 0.2}
    score = {"none": 0.88, "head": 0.94, "batch": 0.97}
    counted, rows = range(948, 956), []
    for net, lr in best.items():
        rows += [
            [net, one, seed, score[net] if one == lr else 0.5, 0.5, None]
            for one in b9.LRS
            for seed in (0, 1)
        ]
        rows += [[net, lr, seed, 0.5, score[net] + 0.001 * (seed % 3), None] for seed in counted]
    rows += [["none", 0.2, seed, None, None, 2] for seed in counted]
    rows += [["head", 0.2, seed, 0.5, 0.90 + 0.001 * (seed % 3), None] for seed in counted]
    return {
        "base": b9.BASE.to_dict(),
        "seeds": list(counted),
        "tuning_seeds": [0, 1],
        "columns": list(b9.COLUMNS),
        "rows": rows,
    }


def test_shares_of_a_gain_that_is_known(data):
    assert [b9.best_lr(data, net) for net in b9.NETS] == [0.012, 0.05, 0.2]
    found = b9.values(data)
    assert found["own"] == pytest.approx(2 / 3)
    assert found["two_thirds"] == pytest.approx(2 / 3)
    assert found["gain"] == pytest.approx(0.09)
    lead, part = 0.87, 0.80  # at the common rate the bare net diverged: chance
    assert found["common"].mean() == pytest.approx(part / lead, rel=0.01)
    facts = b9.facts(data)
    assert facts["none_lost"] == facts["own_gains"] == 8
    assert facts["own_share"] == facts["own_least_share"] == pytest.approx(200 / 3)


def test_a_share_is_decided_seed_by_seed_and_its_mean_is_the_ratio_of_the_means():
    gain, half = np.array([0.06, 0.10, 0.08]), np.array([0.03, 0.05, 0.04])
    zero = np.zeros(3)
    assert b9.share({"none": zero, "head": half, "batch": gain}, 0.5) == pytest.approx(0.5)
    some = np.array([0.03, 0.05, 0.03])
    found = b9.share({"none": zero, "head": some, "batch": gain}, 0.5)
    assert found.mean() == pytest.approx(some.mean() / gain.mean())


def test_of_a_gain_that_may_be_zero_no_share_is_told():
    gain = np.array([0.01, -0.02, 0.03, -0.01, 0.0, 0.02, -0.01, 0.01])
    part = np.full(8, 0.05)  # far more than the gain
    low, high = interval(b9.share({"none": 0 * gain, "head": part, "batch": gain}, 0.5))
    assert low < -3 and high > 4


def test_a_measurement_trains_what_counts_and_takes_the_rates_of_an_earlier_one(monkeypatch):
    monkeypatch.setattr(b9, "LRS", (0.01, 0.1))
    monkeypatch.setattr(b9, "TUNING_SEEDS", (0,))
    first = b9.measure([900], base=FEW)
    assert len(first["rows"]) == 6 + len(dict.fromkeys(map(tuple, _counted(first))))
    again = b9.repeat(first, [900])
    assert again["rows"] == first["rows"]
    assert Run.from_dict(again["base"]) == FEW
    with pytest.raises(ValueError, match="chose the learning rates"):
        b9.measure([0], base=FEW)


def _counted(data):
    common = b9.best_lr(data, "batch")
    return [(net, lr) for net in b9.NETS for lr in (b9.best_lr(data, net), common)]


def test_no_best_rate_of_the_evidence_lies_at_the_edge_of_its_grid():
    found = claims.load("B9").data
    for net in b9.NETS:
        assert min(b9.LRS) < b9.best_lr(found, net) < max(b9.LRS)
