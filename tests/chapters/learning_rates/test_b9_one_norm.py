"""B9: what is trained, and on which side of a share of the gain the net in between is."""

import numpy as np
import pytest

from bnlab import claims
from bnlab.chapters.learning_rates import b9_one_norm as b9
from bnlab.train import Run, build

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


def test_how_far_above_a_share_of_the_gain_the_one_in_between_is(data):
    assert [b9.best_lr(data, net) for net in b9.NETS] == [0.012, 0.05, 0.2]
    found = b9.values(data)
    assert found["own"] == pytest.approx(0.94 - (0.88 + 0.97) / 2)
    assert found["two_thirds"] == pytest.approx(0.0), "0.06 of 0.09"
    assert found["gain"] == pytest.approx(0.09)
    # At the common rate the bare net diverged: chance.
    assert found["common"] == pytest.approx(0.90 - (0.10 + 0.97) / 2, abs=0.002)
    facts = b9.facts(data)
    assert facts["none_lost"] == facts["own_gains"] == 8
    assert facts["own_share"] == facts["own_least_share"] == pytest.approx(200 / 3)
    assert facts["own"] == pytest.approx(100 * found["own"].mean())


def test_a_seed_without_a_gain_does_no_harm():
    """No share is told of it, but it is known on which side of the middle the net is."""
    score = {"none": np.array([0.9, 0.9]), "batch": np.array([0.9, 0.96])}
    found = b9.above(score | {"head": np.array([0.92, 0.92])}, 0.5)
    assert found == pytest.approx([0.02, -0.01])


@pytest.mark.parametrize("share", [0.0, 0.5, 2 / 3, 1.0])
def test_it_is_zero_at_the_share(share):
    none, batch = np.array([0.2, 0.8]), np.array([0.9, 0.97])
    head = none + share * (batch - none)
    found = b9.above({"none": none, "batch": batch, "head": head}, share)
    assert found == pytest.approx(0, abs=1e-12)


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
