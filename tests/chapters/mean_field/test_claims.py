"""What W1 to W4 measure, and that settings, units and borders are what their modules say."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from bnlab import claims, show
from bnlab.chapters.mean_field import (
    w1_fisher_at_start,
    w2_rate_plane,
    w3_gamma_start,
    w4_best_rate,
    wide_net,
)
from bnlab.chapters.mean_field.wide_net import HELD, THROUGH
from bnlab.data import load
from bnlab.train import Trainer, build
from bnlab.verdicts import evidence

SMALL = wide_net.BASE.replace(width=40)


def test_the_start_has_the_variances_of_the_paper():
    net = wide_net.net_at_start(wide_net.BASE)
    layers = [module for module in net.modules() if isinstance(module, nn.Linear)]
    assert len(layers) == 4, "four layers with weights"
    for layer in layers:
        assert layer.weight.var().item() * layer.in_features == pytest.approx(2, rel=0.06)
    biases = torch.cat([layer.bias for layer in layers]).detach()
    assert biases.var().item() == pytest.approx(0.5, rel=0.1) and abs(biases.mean()) < 0.08
    other = wide_net.net_at_start(wide_net.BASE.replace(seed=1))
    assert not torch.equal(other.head.bias, net.head.bias)


def test_the_last_matrix_can_start_smaller_and_nothing_else_changes():
    usual, small = (wide_net.net_at_start(SMALL, head=head) for head in (1.0, 0.25))
    assert torch.equal(small.head.weight, usual.head.weight / 4)
    assert torch.equal(small.head.bias, usual.head.bias)
    assert torch.equal(small.body[1].weight, usual.body[1].weight)


def test_rates_and_losses_are_those_of_half_the_squared_distance():
    """One step by hand on the paper's loss is the step of the Run at UNIT times the rate."""
    eta, run = 0.01, SMALL.replace(norm="batch", steps=1)
    trainer = wide_net.WideTrainer(run.replace(lr=wide_net.UNIT * eta))
    net = wide_net.net_at_start(run).train()
    data = load("digits")
    numbers = next(iter(Trainer(run, "cpu").batches))
    x, y = torch.tensor(data.train_x[numbers]), torch.tensor(data.train_y[numbers])
    loss = (net(x) - nn.functional.one_hot(y, 10)).square().sum(1).mean() / 2
    slopes = torch.autograd.grad(loss, list(net.parameters()))
    record = list(trainer.steps(looks=False))[-1]
    assert wide_net.UNIT * record.loss == pytest.approx(loss.item(), rel=1e-5)
    for ours, p, slope in zip(trainer.net.parameters(), net.parameters(), slopes, strict=True):
        assert torch.allclose(ours, p - eta * slope, atol=1e-6)


def test_the_eigenvalue_is_that_of_the_whole_matrix():
    net = wide_net.net_at_start(SMALL.replace(width=6, depth=1, norm="batch"))
    x = wide_net.images(32)
    net.train()
    rows = []
    for output in net(x).flatten():
        slopes = torch.autograd.grad(output, list(net.parameters()), retain_graph=True)
        rows.append(torch.cat([slope.flatten() for slope in slopes]))
    whole = torch.linalg.svdvals(torch.stack(rows))[0] ** 2 / 32
    assert wide_net.eigenvalue(net, THROUGH, x) == pytest.approx(whole.item(), rel=0.01)
    assert wide_net.eigenvalue(net, HELD, x) > 1.05 * whole.item()


def test_eta_star_is_where_a_quadratic_stops_to_shrink():
    curvature = 7.0
    for factor, grows in ((0.99, False), (1.01, True)):
        w = torch.ones(1, requires_grad=True)
        rate = factor * wide_net.largest_rate(curvature)
        optimizer = torch.optim.SGD([w], rate, momentum=wide_net.MOMENTUM)
        for _ in range(300):
            optimizer.zero_grad()
            (curvature * w.square().sum() / 2).backward()
            optimizer.step()
        assert (abs(w.item()) > 1) == grows


def test_batch_norm_after_the_outputs():
    net = wide_net.net_at_start(SMALL, "last").train()
    out = net(wide_net.images(64))
    assert torch.allclose(out.mean(0), torch.zeros(10), atol=1e-5)
    with pytest.raises(ValueError, match="hidden"):
        wide_net.net_at_start(SMALL, "first")


def test_theory_belongs_to_the_nets_that_are_measured():
    setting = ("digits", "hidden", 3, 300, "batch", 2.0)
    found = wide_net.theory(w1_fisher_at_start.run_of(setting))
    assert found.fan_in.tolist() == [64, 300, 300, 300] and found.gamma == 2
    assert w1_fisher_at_start.predicted(setting, False) == found.bound
    assert w1_fisher_at_start.predicted(setting) > found.bound, "the correction is larger"
    star = w2_rate_plane.predicted_star((3, "batch", 2.0))
    assert star == pytest.approx(3.8 / found.bound)


def test_every_net_is_measured_once():
    plan = w1_fisher_at_start.settings(1000, (1, 3), (100,), ("digits", "gaussian"))
    assert len(set(plan)) == len(plan)
    for gamma in w1_fisher_at_start.DECISIVE:
        assert ("digits", "hidden", 3, 1000, "batch", gamma) in plan


def test_a_training_ends_with_losses_or_with_its_divergence():
    run = SMALL.replace(norm="batch", steps=12)
    end = wide_net.outcome(run, 0.01)
    assert end.diverged_at is None and 0 < end.train < 10 and 0 < end.test < 10
    assert wide_net.outcome(run, 0.01) == end, "the same training again"
    gone = wide_net.outcome(run, 100.0)
    assert gone.train is gone.val is gone.test is None and gone.diverged_at >= 1


def made_up(diverged, through=3.8, powers=(-2, -1, 0, 1)):
    """Data of one seed for a net with BatchNorm: where it diverged, at eta* = 1."""
    rows = [
        [3, "batch", 1.0, p, 5, 2 ** (p / 2), 7.6, through, *([None] * 3 if d else [1, 1, 1]), d]
        for p, d in zip(powers, diverged, strict=True)
    ]
    columns = list(w2_rate_plane.COLUMNS)
    return {
        "gammas": [1.0],
        "depths": [],
        "powers": list(powers),
        "side_powers": [0, 1],
        "seeds": [5],
        "columns": columns,
        "rows": rows,
    }


@pytest.mark.parametrize(
    ("diverged", "power"),
    [
        ([None, None, 9, 2], -0.5),
        ([None, 9, None, 2], -1.5),  # the first rate that diverges counts
        ([None] * 4, 1.5),
        ([9] * 4, -2.5),
    ],
)
def test_the_border_lies_before_the_first_rate_that_diverges(diverged, power):
    data = made_up(diverged)
    assert w2_rate_plane.border(data, (3, "batch", 1.0)) == pytest.approx([2 ** (power / 2)])
    net = (3, "batch", 1.0)
    assert w2_rate_plane.errors(data, net) == pytest.approx([power / 2 * math.log10(2)])
    assert w2_rate_plane.stars(data, (3, "batch", 1.0), "held") == pytest.approx([0.5])


def test_the_best_rate_is_the_one_with_the_lowest_test_loss():
    data, at = made_up([None, None, None, 7]), w2_rate_plane.COLUMNS.index("test_loss")
    for row, loss in zip(data["rows"], (0.4, 0.2, 0.3), strict=False):
        row[at] = loss
    assert w4_best_rate.best(data, 1.0) == pytest.approx([2**-0.5])
    found = w4_best_rate.values(data)
    assert found["best_1"] == found["mean"] == pytest.approx([-0.5 * math.log10(2)])
    assert w4_best_rate.at_edge(data) == []
    data["rows"][0][at] = 0.1
    assert w4_best_rate.at_edge(data) == [1.0]


def test_the_distances_of_borders_keep_their_signs():
    """A border below eta* at one gamma and above it at another is seen from both sides."""
    data = claims.load("W2").data
    found, nets = w2_rate_plane.values(data), [(3, "batch", gamma) for gamma in data["gammas"]]
    for name in w2_rate_plane.STARS:
        over = np.array([w2_rate_plane.errors(data, net, name) for net in nets])
        assert (found[f"{name}_low"] <= over).all() and (over <= found[f"{name}_high"]).all()
    assert found["through_low"].mean() < 0 < found["through_high"].mean()
    borders = [w2_rate_plane.border(data, net) for net in nets]
    assert found["span"] == pytest.approx(np.log10(np.max(borders, 0) / np.min(borders, 0)))


def test_no_single_matrix_passes_both_w1_and_w2():
    """The boxes say so in words that no code prints; if this fails, they must change."""
    words = {
        j.effect.name: j.word for name in ("W1", "W2") for j in claims.load(name).verdict.judgements
    }
    held = [words[name] for name in ("one", "four", "held_low", "held_high")]
    through = [words[n] for n in ("one_through", "four_through", "through_low", "through_high")]
    assert held == ["holds", "holds", "holds", "does not hold"]
    assert through == ["holds", "does not hold", "holds", "holds"]
    assert {j.effect.name for j in claims.load("W2").verdict.core} == {
        "through_low",
        "through_high",
    }


def test_the_best_rate_of_every_net_lies_inside_the_grid():
    assert w4_best_rate.at_edge(claims.load("W4").data) == []
    for power in w3_gamma_start.TUNED.values():
        assert min(w3_gamma_start.POWERS) < power < max(w3_gamma_start.POWERS)


def test_the_papers_sum_leaves_out_what_remains_at_a_small_gamma():
    """The weights' part of the eigenvalue shrinks with gamma squared, the other part stays."""
    weights, others = ([_share(gamma, dims) for gamma in (0.1, 1.0)] for dims in (2, 1))
    assert weights[1] / weights[0] == pytest.approx(100, rel=0.1)
    assert others[1] / others[0] == pytest.approx(1, rel=0.1)
    assert weights[0] < others[0] / 2


def _share(gamma, dims):
    """The largest eigenvalue, gradients through the statistics, of parameters of so many axes."""
    net = wide_net.net_at_start(wide_net.BASE.replace(norm="batch", gamma=gamma)).train()
    chosen = [p for p in net.parameters() if p.ndim == dims]
    outputs = net(wide_net.images(32)).flatten()
    found = [torch.autograd.grad(one, chosen, retain_graph=True) for one in outputs]
    rows = torch.stack([torch.cat([each.flatten() for each in slopes]) for slopes in found])
    return torch.linalg.eigvalsh(rows @ rows.T / 32)[-1].item()


def test_tuning_takes_the_lowest_validation_loss_and_nothing_that_diverges():
    found = w3_gamma_start.tune([("usual", 1.0)], seeds=[0], powers=[-8, -2, 6])
    assert found == {("usual", 1.0): -2}


def test_a_net_that_diverged_counts_as_zero_outputs():
    data = claims.load("W3").data
    at = data["columns"].index("test_loss")
    row = next(row for row in data["rows"] if row[0] == "usual" and row[3] == 1.0)
    row[at] = None
    assert w3_gamma_start.select(data, ("usual", 1.0))[0] == w3_gamma_start.ZERO


def test_the_evidence_has_seeds_of_its_own_and_the_settings_of_today():
    found = {name: claims.load(name).data for name in ("W1", "W2", "W3", "W4")}
    seeds = [set(data["seeds"]) for data in found.values()]
    assert len(set.union(*seeds)) == sum(map(len, seeds)), "no seed counts twice"
    assert not set.union(*seeds) & set(w3_gamma_start.TUNING_SEEDS)
    at = found["W3"]["columns"].index("power")
    for row in found["W3"]["rows"]:
        assert row[at] == w3_gamma_start.TUNED[row[0], row[3]]


def test_a_training_of_the_evidence_comes_out_again():
    data = claims.load("W4").data
    wanted = [3, "batch", 1.0, -2, data["seeds"][0]]
    stored = next(row for row in data["rows"] if row[:5] == wanted)
    (again,) = w2_rate_plane.rows((3, "batch", 1.0), stored[4], [-2])
    assert again[:5] == wanted
    assert again[5:11] == pytest.approx(stored[5:11], rel=0.02)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("W1", {"inputs": ["gaussian"]}, "must contain 'digits'"),
        ("W2", {"powers": [0, 2]}, "consecutive whole numbers"),
        ("W2", {"side_powers": [3]}, "consecutive whole numbers"),
        ("W2", {"gammas": [0.5]}, "must contain 1.0"),
        ("W4", {"powers": [0, -1, 1]}, "3 numbers that rise"),
        ("W3", {"nets": [("usual", 1.0)]}, "nets must contain"),
        ("W3", {"nets": [*w3_gamma_start.TUNED, ("usual", 7.0)]}, "with a tuned rate"),
        ("W3", {"seeds": [3, 660]}, r"seeds \[3\] chose"),
    ],
)
def test_bad_options_say_what_is_needed(name, options, message):
    with pytest.raises(ValueError, match=message):
        claims.measure(name, **{"seeds": [700], **options})


def test_a_look_of_one_seed_can_be_drawn():
    quick = {"width": 30, "depths": [], "widths": [], "inputs": ["digits"]}
    nets = w1_fisher_at_start.settings(30, [], [], ["digits"])
    rows = [[*net, 700, 1 + i, 1 + i] for i, net in enumerate(nets)]
    stored = claims.load("W1")
    data = {**stored.data, **quick, "seeds": [700], "rows": rows}
    drawing = show.plot(evidence.Evidence(stored.claim, data, stored.meta))
    assert len(drawing.svgs) == 1 and "width 30" in drawing.alt


@pytest.mark.parametrize("name", ["W1", "W2", "W3", "W4"])
def test_figures_say_what_they_show(name):
    drawing = show.plot(claims.load(name))
    assert len(drawing.svgs) >= 2 and len(drawing.alt.split()) > 40
    assert "nan" not in drawing.alt + drawing.caption


def test_text_follows_the_evidence(tmp_path, monkeypatch):
    """Change the file, and the sentence of the chapter changes with it."""
    stored, template = claims.load("W3"), "{test_usual_0_25:.3f}"
    before = float(str(show.say("W3", template)))
    at = stored.data["columns"].index("test_loss")
    for row in stored.data["rows"]:
        if (row[0], row[3]) == ("usual", 0.25):
            row[at] *= 2
    stored.save(tmp_path)
    monkeypatch.setattr(evidence, "results_folder", lambda: tmp_path)
    assert float(str(show.say("W3", template))) == pytest.approx(2 * before, abs=0.002)
    changed = f"{2 * before:.2g}"
    assert f"γ = 0.25: {changed}" in show.plot(claims.load("W3")).alt


def test_the_nets_before_training_are_those_that_train():
    run = SMALL.replace(norm="batch", gamma=2.0)
    trainer, net = wide_net.WideTrainer(run), wide_net.net_at_start(run)
    pairs = zip(trainer.net.parameters(), net.parameters(), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in pairs)
    usual = build(run)
    assert np.ptp([p.mean().item() for p in (usual.head.weight, net.head.weight)]) < 0.1
