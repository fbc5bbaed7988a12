"""What S1 to S3 measure, and that their settings are those that the tuning seeds chose."""

import numpy as np
import pytest
import torch

from bnlab import claims, show
from bnlab.chapters.covariate_shift import (
    deep_linear,
    moving_inputs,
    s1_race,
    s2_noisy_race,
    s3_shift_by_depth,
)
from bnlab.chapters.learning_rates import b1_rates
from bnlab.lab.race.run import race_run
from bnlab.norms import NoisyBatchNorm
from bnlab.train import Run, Trainer, train
from bnlab.verdicts import evidence
from bnlab.verdicts.tuning import mean_loss

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
    row = dict(zip(moving_inputs.COLUMNS, moving_inputs.watch(SMALL, "batch"), strict=True))
    losses = [s.loss for s in Trainer(SMALL.replace(norm="batch"), "cpu").steps(False) if s.step]
    assert row["loss"] == mean_loss(losses, SMALL.steps)
    assert len(row["moves"]) == SMALL.depth and row["diverged_at"] is None


def test_a_net_that_diverges_scores_chance():
    row = moving_inputs.watch(SMALL.replace(lr=30.0, depth=6, steps=40), "none")
    found = dict(zip(moving_inputs.COLUMNS, row, strict=True))
    assert found["diverged_at"] and found["test_accuracy"] == 0.1
    assert np.isfinite(found["moves"]).all() and found["loss"] > 2


def test_the_settings_are_those_that_the_tuning_seeds_chose():
    data = claims.load("S1").data
    best = {depth: s1_race.best_lr(data, depth, "none") for depth in s1_race.DEPTHS}
    assert best == s3_shift_by_depth.DECISIVE
    assert s2_noisy_race.LOOKS[0] == best[6]
    tuning = {**s1_race.racing(data), "seeds": data["tuning_seeds"]}
    usable = b1_rates.usable_rate(tuning, 6, "none")
    shares = {lr: (usable >= lr).mean() for lr in s1_race.LRS}
    assert max(lr for lr, share in shares.items() if share >= 0.5) == s2_noisy_race.LR
    seeds = [set(claims.load(name).data["seeds"]) for name in ("S1", "S2", "S3")]
    assert not set.union(*seeds) & set(s1_race.TUNING_SEEDS)
    assert [len(each) for each in seeds] == [16, 16, 16]


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
        ("S2", {"seeds": [700], "lrs": [0.1]}, "must contain 0.3"),
        ("S2", {"seeds": [700], "looks": [0.1]}, "must contain 0.3"),
        ("S3", {"seeds": [700], "depths": [3, 6]}, r"depths must contain \[6, 15\]"),
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
    stored, template = claims.load("S2"), "{noisy_batch_6_0_3:.2f}"
    before = str(show.say("S2", template))
    at = stored.data["columns"].index("loss")
    for row in stored.data["rows"]:
        if row[:4] == ["race", 6, "noisy_batch", 0.3]:
            row[at] *= 2
    stored.save(tmp_path)
    monkeypatch.setattr(evidence, "results_folder", lambda: tmp_path)
    assert float(str(show.say("S2", template))) == pytest.approx(2 * float(before), abs=0.02)
    assert "noisy BatchNorm has 2.8" in show.plot(claims.load("S2")).alt
