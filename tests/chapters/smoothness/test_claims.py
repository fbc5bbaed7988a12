"""What S4 to S6 measure, and that their settings are those that the tuning seeds chose."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bnlab import claims, show
from bnlab.chapters.covariate_shift import s1_race as race
from bnlab.chapters.smoothness import s4_along_gradient, s5_lp_norms
from bnlab.chapters.smoothness import s4_edge_of_stability as edge
from bnlab.chapters.smoothness import s5_linear_net as linear_net
from bnlab.chapters.smoothness import s6_theorem as theorem
from bnlab.chapters.smoothness.edge_figure import weights_and_rates
from bnlab.draw.words import power
from bnlab.measure import VGG, measure_curvature
from bnlab.nets import make_net
from bnlab.norms import BatchNorm
from bnlab.train import Run, Trainer
from bnlab.verdicts import evidence
from bnlab.verdicts.parts import judge

SMALL = Run(depth=2, width=16, steps=31, lr=0.1, norm="batch", precision="float64")


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def gradient(net, x, y):
    slopes = torch.autograd.grad(cross_entropy(net(x), y), list(net.parameters()))
    return torch.cat([slope.flatten() for slope in slopes])


def test_a_look_is_the_paper_s_on_the_batch_that_comes_next():
    found = s4_along_gradient.look(SMALL, at=[10])
    trainer = Trainer(SMALL, "cpu")
    for record in trainer.steps(looks=False):
        if record.step == 10:
            break
    numbers = list(Trainer(SMALL, "cpu").batches)[10]
    x, y = trainer.batch(numbers, 11)
    net, g = trainer.net.train(), gradient(trainer.net, x, y)
    start, losses, changes = weights(net), [], []
    for s in VGG.steps(SMALL.lr):
        torch.nn.utils.vector_to_parameters(start - s * g, net.parameters())
        losses.append(cross_entropy(net(x), y).item())
        changes.append(float((gradient(net, x, y) - g).norm()))
    ways = VGG.steps(SMALL.lr) * float(g.norm())
    numbers = [max(losses) - min(losses), max(changes), max(np.array(changes) / ways)]
    assert np.allclose(found[1:4, 0], numbers, rtol=1e-9)
    assert np.isclose(found[4, 0], float(g.norm()))


def test_looking_does_not_change_the_training():
    every = s4_along_gradient.look(SMALL, at=range(1, 31))
    once = s4_along_gradient.look(SMALL, at=[30])
    assert np.array_equal(every[:, -1], once[:, 0])
    assert s4_along_gradient.look(SMALL).shape == (5, 2)


def test_a_net_that_diverges_has_fewer_looks():
    run = SMALL.replace(norm="none", depth=12, width=64, lr=0.8)
    assert s4_along_gradient.look(run, at=[0, 25]).shape == (5, 1)


def test_scaled_weights_change_nothing_that_batch_norm_lets_through():
    net = make_net("mlp", (1, 8, 8), 10, depth=3, width=16, norm="batch", norm_options={"eps": 0.0})
    net = net.double()
    x = torch.randn(32, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = torch.arange(32) % 10
    double = s4_along_gradient.scaled_weights(net, 2.0)
    assert torch.allclose(net(x), double(x), atol=1e-12)
    slopes = [torch.autograd.grad(cross_entropy(n(x), y), n.body[1].weight) for n in (net, double)]
    assert torch.allclose(slopes[0][0], 2 * slopes[1][0], atol=1e-12)
    # Four times the rate at double weights is the same step.
    assert torch.allclose(2 * slopes[0][0], 4 * slopes[1][0], atol=1e-12)


def test_scaled_looks_are_those_of_the_same_net():
    low, same, high = s4_along_gradient.scaled(SMALL.replace(steps=60))
    found = s4_along_gradient.look(SMALL.replace(steps=60), at=[s4_along_gradient.MIDDLE])
    assert np.array_equal(same, found)
    assert abs(low[0] / same[0] - 1) < 1e-2 and low[4] > same[4] > high[4]


def test_the_edge_is_measured_on_descent_with_all_images():
    run = Run(depth=2, width=16, lr=0.1, norm="batch", precision="float64")
    found = edge.sharpness(run)
    assert len(found) == edge.STEPS // edge.EVERY + 1
    trainer = Trainer(run.replace(loss="squared_error"), "cpu")
    few = {"top": 1, "bottom": 0, "probes": 0}
    x, y = trainer.train_x[: edge.IMAGES], trainer.train_y[: edge.IMAGES]
    top = measure_curvature(trainer.net, edge.squared_error, x, y, **few).top[0]
    assert found[0] == pytest.approx(top, rel=1e-3)
    assert len(edge.sharpness(run.replace(norm="none", lr=1e3))) < 3


def test_one_batch_norm_is_put_in_without_changing_a_value():
    trainer = Trainer(SMALL.replace(norm="none"), "cpu")
    x, y = trainer.train_x[:32], trainer.train_y[:32]
    net = theorem.with_one(trainer.net, 2, x)
    assert torch.allclose(net(x), trainer.net(x), atol=1e-12)
    assert [type(m) for m in net.modules()].count(BatchNorm) == 1
    (found,) = (one for one in theorem.identities(net, x, y))
    assert np.allclose(found.scale, 1) and found.error < 1e-12
    assert len(list(theorem.identities(trainer.net, x, y))) == SMALL.depth


def test_units_without_gradient_count_in_none_of_the_numbers():
    trainer = Trainer(SMALL, "cpu")
    with torch.no_grad():
        trainer.net.body[2].bias.fill_(-1e3)  # all units of the first layer are dead
    (first, _) = theorem.identities(trainer.net, trainer.train_x[:32], trainer.train_y[:32])
    error, smaller, _, removed, violated = theorem.of_layer(first)
    assert (error, smaller, removed, violated) == (theorem.LEAST, 1, 0, 0)


def test_rescaled_batch_norm_trains_as_l1_does():
    wide, l1, batch = (
        linear_net.row(norm, 1e-3, 1, steps=60)[-1] for norm in ("rescaled", "l1_batch", "batch")
    )
    assert wide[2] == pytest.approx(math.sqrt(math.pi / 2), rel=1e-3)
    assert l1[2] == pytest.approx(wide[2], rel=0.03) and batch[2] == pytest.approx(1, rel=1e-3)
    assert abs(wide[1] / l1[1] - 1) < 0.05 < batch[1] / l1[1] - 1


def test_the_deep_linear_net_may_diverge():
    assert linear_net.row("batch", 1e6, 0, steps=30)[-1][1] is None


def test_a_net_that_diverges_is_not_the_best():
    ends = {1e-3: 5.0, 2e-3: 4.0, 4e-3: 3.0, 8e-3: None, 1.6e-2: None}
    rows = [
        ["linear", 25, "batch", lr, 0, None, None, None, None, [9.0, end, 1.0]]
        for lr, end in ends.items()
    ]
    assert linear_net.best_of(rows, "batch", [0]) == 4e-3


def test_no_best_rate_of_s5_lies_at_an_edge_of_its_grid():
    data = claims.load("S5").data
    for norm in s5_lp_norms.NORMS:
        assert s5_lp_norms.best_lr(data, norm) in s5_lp_norms.LRS[1:-1], norm
        assert s5_lp_norms.validation_lr(data, norm) in s5_lp_norms.LRS[1:-1], norm
    for norm in linear_net.NETS:
        assert linear_net.best_lr(data, norm) in linear_net.LRS[1:-1], norm


def test_a_net_without_any_gain_fails_the_test_of_s5():
    """The placebo: the net without a normalizer, from other initial weights."""
    evidence = claims.load("S5")
    parts = {effect.name: effect for effect in evidence.claim.effects}
    assert judge(parts["l1"], s5_lp_norms.placebo(evidence.data)).word == "does not hold"
    for name in s5_lp_norms.SMOOTHNESS:
        found = judge(parts[name], s5_lp_norms.placebo(evidence.data, name))
        assert found.word == "does not hold", name


def test_what_is_missing_is_a_share_of_the_gain_in_log_terms():
    none, batch = np.array([8.0, 8.0]), np.array([2.0, 2.0])
    assert s5_lp_norms.missing(none, batch, np.array([4.0, 2.0])) == pytest.approx([0.5, 0])
    assert s5_lp_norms.missing(none, batch, none) == pytest.approx([1, 1])


def test_the_settings_are_those_that_the_tuning_seeds_chose():
    best = race.best_lr(claims.load("S1").data, 6, "none")
    assert s4_along_gradient.PLACES[0] == (6, best) and best == s5_lp_norms.LOOK_LR
    assert {d: race.best_lr(claims.load("S1").data, d, "none") for d in (6, 15)} == theorem.LRS
    seeds = [set(claims.load(name).data["seeds"]) for name in ("S4", "S5", "S6")]
    assert [len(each) for each in seeds] == [16, 14, 16]
    assert not set.union(*seeds) & set(s5_lp_norms.TUNING_SEEDS)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("S4", {"seeds": [700], "place": [(6, 0.1)]}, "Did you mean 'places'"),
        ("S5", {"seeds": [3, 702]}, r"seeds \[3\] chose the learning rates"),
    ],
)
def test_bad_options_say_what_is_needed(name, options, message):
    with pytest.raises(ValueError, match=message):
        claims.measure(name, **options)


def test_a_net_of_the_theorem_that_diverges_says_so():
    with pytest.raises(RuntimeError, match="choose a smaller rate"):
        theorem.watch(theorem.BASE.replace(depth=6, lr=30.0))


def test_figures_say_what_they_show():
    found = {name: claims.load(name) for name in ("S4", "S5", "S6")}
    for name, one in found.items():
        drawing = show.plot(one)
        assert drawing.alt.endswith(".") and len(drawing.svgs) >= 2, name
    beside = weights_and_rates(found["S4"])
    assert "edge of stability" in beside.alt and "nan" not in beside.alt


def test_text_follows_the_evidence(tmp_path, monkeypatch):
    """Change the file, and the sentence of the chapter changes with it."""
    stored, template = claims.load("S4"), "{range_early_6_0_1:.6f}"
    before = float(str(show.say("S4", template)))
    at = stored.data["columns"].index("range")
    for row in stored.data["rows"]:
        if row[:4] == ["look", 6, "none", 0.1]:
            row[at] = [2 * value for value in row[at]]
    stored.save(tmp_path)
    monkeypatch.setattr(evidence, "results_folder", lambda: tmp_path)
    assert float(str(show.say("S4", template))) == pytest.approx(2 * before, rel=1e-5)
    assert power(2 * before) in show.plot(claims.load("S4")).alt
