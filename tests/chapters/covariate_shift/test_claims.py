"""What S1 to S3 measure, and that their settings are those that the tuning seeds chose."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bnlab import claims, show
from bnlab.chapters.covariate_shift import (
    deep_linear,
    equal_steps,
    moving_inputs,
    s1_race,
    s2_noisy_race,
    s3_shift_by_depth,
)
from bnlab.data import batches
from bnlab.lab.race.run import race_run
from bnlab.measure import measure_covariate_shift
from bnlab.measure.shift.input_shift import look, measure_input_shift
from bnlab.norms import NoisyBatchNorm
from bnlab.train import Run, Trainer, train
from bnlab.verdicts import evidence
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import GUESS, mean_loss, scores, usable_rates

SMALL = Run(depth=2, width=16, steps=21, lr=0.05)


def test_noise_alone_is_the_noise_of_noisy_batch_norm_and_nothing_else():
    plain, noisy, alone = (
        moving_inputs.make_trainer(SMALL, norm).net for norm in ("none", "noisy_batch", "noise")
    )
    assert [p.shape for p in alone.parameters()] == [p.shape for p in plain.parameters()]
    x = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(alone.eval()(x), plain.eval()(x))
    theirs, ours = (
        next(m for m in net.modules() if isinstance(m, NoisyBatchNorm)) for net in (noisy, alone)
    )
    z = torch.randn(8, 16, generator=torch.Generator().manual_seed(1))
    factor, shift = theirs.draw(z)
    ours.train()
    assert torch.equal(ours(z), torch.addcmul(shift, z, factor))
    assert not torch.equal(ours(z), torch.addcmul(shift, z, factor)), "the next step has its own"


def test_the_net_with_noise_alone_learns_with_its_own_weights():
    trainer = moving_inputs.make_trainer(SMALL, "noise")
    before = [p.detach().clone() for p in trainer.net.parameters()]
    for _ in trainer.steps(looks=False):
        pass
    changed = zip(before, trainer.net.parameters(), strict=True)
    assert not any(torch.equal(old, new) for old, new in changed)


def test_watching_a_training_does_not_change_it():
    row = dict(zip(moving_inputs.RACED, moving_inputs.watch(SMALL, "batch"), strict=True))
    losses = [s.loss for s in Trainer(SMALL.replace(norm="batch"), "cpu").steps(False) if s.step]
    assert row["loss"] == mean_loss(losses, SMALL.steps)
    assert row["end"] == moving_inputs.end_loss(losses, SMALL.steps)
    assert np.shape(row["moves"]) == (len(moving_inputs.MOVES), SMALL.depth)
    assert row["diverged_at"] is None


def test_batch_norm_hides_from_the_next_layer_what_moves_before_it():
    """All weights of a layer times two: what goes into BatchNorm moves, what comes out does not."""
    trainer = moving_inputs.make_trainer(SMALL.replace(lr=1e-9), "batch")
    layers, norms = moving_inputs._places(trainer.net)
    assert layers == ["body.4", "head"] and norms == ["body.2", "body.5"]
    moments = []
    for factor in (1, 2):
        with torch.no_grad():
            trainer.net.body[1].weight.mul_(factor)
        moments.append(look(trainer.net, trainer.train_x[:64], [*layers, *norms], "train"))
    shift = moving_inputs._over_both(measure_input_shift(*moments), *moments)
    moved = dict(zip(moments[0].names, shift, strict=True))
    assert moved["body.2"] > 0.2 and moved["body.4"] < 1e-3


def test_the_whole_training_is_longer_than_a_step():
    row = dict(zip(moving_inputs.RACED, moving_inputs.watch(SMALL, "none"), strict=True))
    step, step_before, whole, whole_before = np.array(row["moves"])
    assert (whole > 2 * step).all() and (whole_before > 2 * step_before).all()


def test_the_end_of_a_training_is_its_last_steps():
    losses = [2.0] * 70 + [0.5] * 30
    assert moving_inputs.end_loss(losses, 100) == 0.5
    assert moving_inputs.end_loss([9.0] * 100, 100) == pytest.approx(GUESS, rel=1e-4)
    assert moving_inputs.end_loss(losses[:85], 100) == pytest.approx((0.5 + GUESS) / 2, rel=1e-4)


def test_the_net_with_noise_alone_trains_in_a_race_as_in_a_look():
    raced = dict(zip(moving_inputs.RACED, moving_inputs.noise_row(SMALL), strict=True))
    looked = dict(zip(moving_inputs.RACED, moving_inputs.watch(SMALL, "noise"), strict=True))
    same = ("depth", "norm", "lr", "seed", "loss", "end", "test_accuracy", "diverged_at")
    assert [raced[name] for name in same] == [looked[name] for name in same]
    assert 0 < raced["val_accuracy"] < 1
    lost = dict(
        zip(moving_inputs.RACED, moving_inputs.noise_row(SMALL.replace(lr=1e30)), strict=True)
    )
    assert lost["diverged_at"] and lost["val_accuracy"] == lost["test_accuracy"] == 0.1


def test_a_net_that_diverges_scores_chance():
    row = moving_inputs.watch(SMALL.replace(lr=30.0, depth=6, steps=40), "none")
    found = dict(zip(moving_inputs.RACED, row, strict=True))
    assert found["diverged_at"] and found["test_accuracy"] == 0.1
    assert np.isfinite(found["moves"]).all() and found["loss"] > 2


def inside(rates, best):
    """Whether the best rate has a smaller and a larger one beside it."""
    return rates[0] < best < rates[-1]


def test_no_best_rate_lies_at_the_edge_of_its_grid():
    s1, s2, s3 = (claims.load(name).data for name in ("S1", "S2", "S3"))
    for depth in s1_race.DEPTHS:
        for norm in s1_race.NORMS:
            assert inside(s1_race.LRS, s1_race.best_lr(s1, depth, norm)), (depth, norm)
        for norm in s2_noisy_race.WATCHED:
            rates = s2_noisy_race.rates(depth, norm)
            assert inside(rates, s2_noisy_race.best_lr(s2, depth, norm)), (depth, norm)
    for depth in s3_shift_by_depth.DEPTHS:
        for norm, rates in s3_shift_by_depth.TUNED.items():
            assert inside(rates, s3_shift_by_depth.best_lr(s3, depth, norm)), (depth, norm)


def test_the_claims_choose_the_same_rates():
    s1, s2, s3 = (claims.load(name).data for name in ("S1", "S2", "S3"))
    for depth in s1_race.DEPTHS:
        best = s1_race.best_lr(s1, depth, "none")
        assert best == s2_noisy_race.best_lr(s2, depth, "none")
        assert best == s3_shift_by_depth.best_lr(s3, depth, "none")


def test_the_common_rate_is_the_largest_that_half_of_the_tuning_seeds_can_use():
    data = claims.load("S1").data
    table = Table.of(data).where(part="race", depth=6, norm="none")
    score = scores(table, "val_accuracy", lr=s1_race.LRS, seed=data["tuning_seeds"])
    usable = usable_rates(s1_race.LRS, score)
    shares = {lr: (usable >= lr).mean() for lr in s1_race.LRS}
    assert max(lr for lr, share in shares.items() if share >= 0.5) == s2_noisy_race.LR


def test_the_seeds_that_count_chose_no_rate():
    found = [claims.load(name).data for name in ("S1", "S2", "S3")]
    seeds = [set(data["seeds"]) for data in found]
    assert not set.union(*seeds) & set(s1_race.TUNING_SEEDS)
    assert [len(each) for each in seeds] == [16, 16, 16]
    assert all(data["tuning_seeds"] == list(s1_race.TUNING_SEEDS) for data in found)


def test_the_race_of_the_page_is_the_one_that_counts():
    data, seed = claims.load("S2").data, s2_noisy_race.SEEDS[3]
    at = [data["columns"].index(name) for name in ("loss", "val_accuracy", "test_accuracy")]
    for norm in s2_noisy_race.NORMS:
        run = race_run(norm, net="mlp", width=64, lr=0.3, batch_size=64, depth=6, seed=seed)
        row = moving_inputs.race_row(train(run, "compiled"))
        stored = next(r for r in data["rows"] if r[:5] == ["race", 6, norm, 0.3, seed])
        assert [row[k] for k in at] == [stored[k] for k in at]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("S1", {"seeds": [3, 500]}, r"seeds \[3\] chose the learning rates"),
        ("S2", {"seeds": [3, 700]}, r"seeds \[3\] chose the learning rates"),
        ("S3", {"seeds": [3, 700]}, r"seeds \[3\] chose the learning rates"),
        ("S3", {"seeds": [700], "linear_lrs": [1e-3]}, "which decide"),
    ],
)
def test_bad_options_say_what_is_needed(name, options, message):
    with pytest.raises(ValueError, match=message):
        claims.measure(name, **options)


def test_the_first_step_must_not_diverge():
    with pytest.raises(RuntimeError, match="choose a smaller rate"):
        moving_inputs.watch(SMALL.replace(lr=1e30), "none")


def test_the_shift_of_a_training_is_that_of_its_steps():
    run = Run(depth=2, width=16, steps=91, lr=0.05)
    found = s3_shift_by_depth.shift(run)
    assert found.shape == (3, 2) and (found[0] > 0).all() and (found[1] <= 1).all()
    assert (s3_shift_by_depth.shift(run.replace(lr=1e-6))[1] > 0.9999).all()
    assert s3_shift_by_depth.shift(run.replace(lr=1e6)) is None


def test_new_noise_alone_shifts_the_gradients():
    run = Run(depth=2, width=16, steps=91, lr=1e-6, norm="noisy_batch")
    same, new = (s3_shift_by_depth.shift(run, noise)[1].min() for noise in (True, False))
    assert same > 0.9999 and new < 0.99


def test_steps_of_one_length_are_of_one_length_and_show_what_measuring_shows():
    run = Run(depth=2, width=16, steps=31, lr=0.05)
    rows = [
        dict(zip(equal_steps.COLUMNS, row, strict=True)) for row in equal_steps.rows(run, (0, 30))
    ]
    assert [row["step"] for row in rows] == [0, 30] and all(row["length"] > 0 for row in rows)
    short, long = np.array([row["shift"] for row in rows]).T
    assert (1.5 * short < long).all()  # a step three times as long
    trainer = Trainer(run, "cpu")
    plan = next(iter(batches(trainer.data.train_y, run.sampler, run.seed, run.batch_size, 1)))
    batch = trainer.batch(plan, 1)
    before = measure_covariate_shift(trainer.net, cross_entropy, *batch, 0.0).before
    lr = equal_steps.LENGTHS[0] / np.sqrt(np.square(before).sum())
    found = measure_covariate_shift(trainer.net, cross_entropy, *batch, lr)
    assert short[0] == pytest.approx(np.median(found.l2[1:] / before[1:]), rel=1e-3)


def test_a_net_that_has_diverged_makes_no_more_steps():
    assert equal_steps.rows(Run(depth=2, width=16, steps=31, lr=1e6), (10,)) == []


def test_the_last_layer_of_the_linear_net_may_go_without_its_normalizer():
    bare = deep_linear.shift("batch", 1e-6, 0, bare_end=True)
    assert bare.shape == (3, 24)
    assert not np.allclose(bare, deep_linear.shift("batch", 1e-6, 0))


def test_the_deep_linear_net_is_the_paper_s():
    net, x, y = deep_linear.make("none", 0)
    assert [tuple(p.shape) for p in net.parameters()] == [(10, 10)] * 25
    assert x.shape == y.shape == (1000, 10)
    product = torch.linalg.multi_dot([p.detach() for p in net.parameters()][::-1])
    assert torch.allclose(net(x), x @ product.T)
    target = torch.linalg.lstsq(x, y).solution
    assert torch.allclose(x @ target, y), "the target is linear"


def test_the_deep_linear_net_shifts_little_at_a_small_rate_and_may_diverge():
    assert (deep_linear.shift("none", 1e-9, 0)[1] > 0.9999).all()
    assert deep_linear.shift("none", 1e3, 0) is None


def test_text_follows_the_evidence(tmp_path, monkeypatch):
    """Change the file, and the sentence of the chapter changes with it."""
    stored, template = claims.load("S2"), "{noisy_batch_6_1:.2f}"
    before = str(show.say("S2", template))
    at = stored.data["columns"].index("loss")
    for row in stored.data["rows"]:
        if row[:4] == ["race", 6, "noisy_batch", 1.0]:
            row[at] *= 2
    stored.save(tmp_path)
    monkeypatch.setattr(evidence, "results_folder", lambda: tmp_path)
    assert float(str(show.say("S2", template))) == pytest.approx(2 * float(before), abs=0.02)
    assert "no normalizer is 0.8 times that of noisy" in show.plot(claims.load("S2")).alt
