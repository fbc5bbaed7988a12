"""B10: what the helps do to a net, and what follows from the trainings."""

import numpy as np
import pytest
import torch

from bnlab import claims
from bnlab.chapters.learning_rates import b1_rates, b2_explosion
from bnlab.chapters.learning_rates import b10_given_rates as b10
from bnlab.chapters.learning_rates.helped import Help, HelpedTrainer, train_helped
from bnlab.engines.stack import StackTrainer

RUN = b10.BASE.replace(depth=2, width=8, steps=3)
RUNS = [RUN.replace(lr=lr) for lr in (0.1, 0.2)]


def moved(trainer, step=1):
    """How far one update moves each of two nets."""
    before = trainer.vector[0].detach().clone()
    trainer.update(np.stack([np.arange(32)] * 2), step)
    sizes = [p.numel() for p in trainer.parameters]
    parts = (trainer.vector[0].detach() - before).split(sizes)
    return sum(part.view(2, -1).square().sum(1) for part in parts).sqrt()


def test_a_net_without_help_trains_as_in_any_stack():
    ours, theirs = HelpedTrainer(RUNS, [Help(), Help()]), StackTrainer(RUNS, "cpu")
    assert torch.equal(moved(ours), moved(theirs))


def test_a_clipped_gradient_has_at_most_the_given_length_and_the_other_net_keeps_its_own():
    free = moved(HelpedTrainer(RUNS, [Help(), Help()]))
    found = moved(HelpedTrainer(RUNS, [Help(), Help(clip=1e-3)]))
    assert found[0] == free[0]
    assert found[1] == pytest.approx(0.2 * 1e-3, rel=1e-3)


def test_a_warm_up_rises_in_proportion_to_the_step_and_then_stays():
    def first(step):
        return moved(HelpedTrainer(RUNS, [Help(warm_up=10), Help()]), step)

    assert first(1)[0] == pytest.approx(0.1 * float(first(10)[0]), rel=1e-3)
    assert first(20)[0] == first(10)[0]
    assert first(1)[1] == first(20)[1]


def test_a_start_scales_all_layers_but_the_last():
    plain, scaled = (
        HelpedTrainer(RUNS, [Help(start=s, last=v), Help()]).nets[0]
        for s, v in ((1, 1), (0.5, 0.1))
    )
    assert torch.equal(scaled.body[1].weight, 0.5 * plain.body[1].weight)
    assert torch.equal(scaled.head.weight, 0.1 * plain.head.weight)


def test_a_net_that_diverged_has_no_accuracy_and_leaves_the_others_alone():
    runs = [RUN.replace(lr=lr, steps=20) for lr in (0.1, 1e4)]
    (*numbers, end), lost = train_helped(runs, [Help(), Help()])
    assert end is None and all(np.isfinite(numbers))
    assert lost[:3] == [None, None, None] and lost[3] > 0


@pytest.fixture
def data():
    """Two tuning seeds and one counted: clip 1 bears ten times the rate, clip 8 helps at once."""
    best = {
        b10.BATCH: (0.5, 0.9, 0.97, 0.99, 0.98, 0.2),
        b10.BARE: (0.5, 0.9, 0.95, 0.5, 0.1, 0.1),
        "clip 8": (0.5, 0.9, 0.98, 0.5, 0.1, 0.1),
        "clip 1": (0.5, 0.6, 0.7, 0.9, 0.97, 0.1),
        "clip 0.5": (0.5, 0.6, 0.7, 0.9, 0.96, 0.1),
    }
    other = (0.5, 0.8, 0.9, 0.5, 0.1, 0.1)
    rows = [
        [net, lr, seed, score, score, 0.1, None]
        for net in (b10.BATCH, *b10.HELPS)
        for lr, score in zip(b10.LRS, best.get(net, other), strict=True)
        for seed in (0, 1, 900)
    ]
    return {
        "base": b10.BASE.to_dict(),
        "seeds": [900],
        "tuning_seeds": [0, 1],
        "columns": list(b10.COLUMNS),
        "rows": rows,
    }


def test_the_means_that_is_counted_enlarges_the_rate_and_the_control_suits_the_old_rate(data):
    assert b10.given(data) == "clip 1"
    assert b10.control(data) == "clip 8"
    found = b10.values(data)
    assert found["lead"] == pytest.approx([0.04])
    assert found["held"] == pytest.approx([0.5])  # 0.02 of 0.04
    assert found["given"] == pytest.approx([0.5])
    assert found["beyond"] == pytest.approx([-0.01])
    assert found["rate"] == pytest.approx([1.0])


def test_if_no_means_enlarges_the_rate_the_largest_one_is_counted(data):
    for row in data["rows"]:
        if row[0].startswith("clip") and row[1] > 0.1:
            row[3] = 0.1
    assert all(b10.gained(data, net) < b10.ENLARGED for net in b10.HELPS if "clip" in net)
    assert b10.given(data) in b10.HELPS


def test_what_is_left_of_a_lead_is_a_share_of_its_mean_and_half_is_decided_seed_by_seed():
    lead, rest = np.array([0.02, 0.04]), np.array([0.01, 0.02])
    assert b10.left(rest, lead) == pytest.approx([0.5, 0.5])  # half in each seed: no spread
    assert b10.left(np.array([0.03, 0.0]), lead).mean() == pytest.approx(0.5)
    assert np.isfinite(b10.left(rest, -lead)).all()


def is_inside(best, rates):
    return min(rates) < best < max(rates)


def test_no_best_rate_of_the_evidence_lies_at_the_edge_of_its_grid():
    b1, found = claims.load("B1").data, claims.load("B10").data
    for depth in b1["depths"]:
        for norm in b1_rates.NORMS:
            assert is_inside(b1_rates.best_lr(b1, depth, norm), b1_rates.LRS)
    for net in (b10.BATCH, b10.BARE, b10.given(found)):
        assert is_inside(b10.best_lr(found, net), b10.LRS)
    assert is_inside(10 ** b10.usable(found, b10.BATCH, found["seeds"]).mean(), b10.LRS)
    explosion = claims.load("B2").data
    for net in ("batch", "scaled"):
        mean = b2_explosion.learned(explosion, net).mean(1)
        assert 0 < mean.argmax() < len(mean) - 1


def test_the_interval_of_a_median_is_two_of_the_numbers():
    numbers = np.arange(1.0, 17)
    assert b2_explosion.median_interval(numbers) == (8.5, 4.0, 13.0)
    numbers[-1] = 1e60
    assert b2_explosion.median_interval(numbers) == (8.5, 4.0, 13.0)
