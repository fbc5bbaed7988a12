"""What L2 to L6 measure, and that their rates are those that the tuning seeds chose."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from bnlab import claims, show
from bnlab.chapters.group_size import (
    l2_l4_at_start,
    l3_order,
    l5_tradeoff,
    l6_architectures,
    trainings,
)
from bnlab.chapters.signals.b3_to_b6_l1_at_start import batch
from bnlab.train import Run, train
from bnlab.verdicts import evidence
from bnlab.verdicts.interval import interval
from bnlab.verdicts.work import HERE

QUICK = trainings.BASE.replace(steps=4, eval_every=1)


def test_names_of_nets_are_group_sizes():
    assert l2_l4_at_start.setting("layer") == {"norm": "layer", "norm_options": {}}
    assert l2_l4_at_start.setting("group_4") == {"norm": "group", "norm_options": {"group_size": 4}}
    for name in ("group_", "group_0", "group_x"):
        with pytest.raises(ValueError, match="whole number of channels"):
            l2_l4_at_start.setting(name)


@pytest.mark.parametrize(("one", "other"), [("group_1", "instance"), ("group_2", "layer")])
def test_the_ends_of_the_group_size_are_instance_and_layer_norm(one, other):
    run = Run(net="plain", depth=2, width=2 if other == "layer" else 4, seed=3)
    run = run.replace(depth=1)
    nets = [l2_l4_at_start.net_at_start(name, run) for name in (one, other)]
    found = [l2_l4_at_start.signal(net, 3, part) for net in nets for part in l2_l4_at_start.PARTS]
    assert np.allclose(found[0], found[2]) and np.allclose(found[1], found[3])


def test_the_cosine_is_that_of_the_activations_after_the_nonlinearity():
    run = Run(net="plain", depth=1, width=4, seed=5)
    net = l2_l4_at_start.net_at_start("layer", run)
    rows = net.body(batch(5)[0]).detach().flatten(1)
    rows = rows / rows.norm(dim=1, keepdim=True)
    products, n = rows @ rows.T, len(rows)
    mean = (products.sum() - products.trace()) / (n * (n - 1))
    assert l2_l4_at_start.signal(net, 5, "cosine") == pytest.approx([float(mean)])


@pytest.mark.parametrize("kind", ["plain", "mlp"])
def test_the_gradient_is_that_of_the_outputs_before_the_normalizer(kind):
    net = l2_l4_at_start.net_at_start("layer", Run(net=kind, depth=2, width=8, seed=5))
    x, y = batch(5)
    kept = []

    def keep(_module, _inputs, output):
        output.retain_grad()
        kept.append(output)

    first = next(m for m in net.body if isinstance(m, torch.nn.Conv2d | torch.nn.Linear))
    first.register_forward_hook(keep)
    torch.nn.functional.cross_entropy(net(x), y).backward()
    found = l2_l4_at_start.signal(net, 5, "gradient")
    assert len(found) == 2 and found[0] == pytest.approx(float(kept[0].grad.norm()))


def test_an_unknown_signal_says_what_there_is():
    net = l2_l4_at_start.net_at_start("layer", Run(net="mlp", depth=1))
    with pytest.raises(ValueError, match="cosine"):
        l2_l4_at_start.signal(net, 0, "sine")


def test_sharpness_is_the_largest_eigenvalue_of_the_gauss_newton_matrix():
    net = l2_l4_at_start.net_at_start("layer", Run(net="mlp", depth=1, width=4, seed=2))
    found = l3_order.sharpness(net, 2)
    x, y = batch(2)
    logits, weights = net.double()(x), list(net.parameters())
    p, total = logits.softmax(1).detach(), 0
    for n in range(len(y)):
        rows = [torch.autograd.grad(z, weights, retain_graph=True) for z in logits[n]]
        jacobian = torch.stack([torch.cat([g.flatten() for g in row]) for row in rows])
        bent = torch.diag(p[n]) - p[n][:, None] * p[n]
        total = total + jacobian.T @ bent @ jacobian / len(y)
    assert found == pytest.approx(float(torch.linalg.eigvalsh(total)[-1]), rel=0.01)


def tuned(data):
    """Each net and normalizer of a measurement, with the rates that were tried and their scores."""
    for net in data["nets"]:
        for norm in data["norms"]:
            rates = trainings.rates_of(data, net, norm)
            if rates:
                seeds = data["tuning_seeds"]
                scores = [
                    trainings.column(data, net, norm, lr, data["by"], seeds).mean() for lr in rates
                ]
                yield net, norm, rates, np.array(scores) * (-1 if data["by"] == "loss" else 1)


@pytest.mark.parametrize("name", ["L3", "L5", "L6"])
def test_the_best_rate_has_a_worse_one_on_each_side(name):
    data = claims.load(name).data
    assert not set(data["seeds"]) & set(data["tuning_seeds"]) and len(data["seeds"]) >= 8
    for net, norm, rates, scores in tuned(data):
        best = trainings.best_lr(data, net, norm)
        assert scores[rates.index(best)] == max(scores)
        learns = max(trainings.column(data, net, norm, best, "val_accuracy")) > 0.2
        assert rates[0] < best < rates[-1] or not learns, (net, norm, rates)
        assert np.allclose(np.diff(np.log2(rates)), 1)


def test_groups_of_two_learn_nothing_in_an_mlp_and_they_alone_have_no_best_rate():
    data = claims.load("L5").data
    for net, norm in l5_tradeoff.pairs(data["nets"]):
        best = trainings.best_lr(data, net, norm)
        learns = trainings.column(data, net, norm, best, "val_accuracy").mean() > 0.2
        assert learns == (not (net.startswith("mlp") and norm == "group_2")), (net, norm)


def test_the_search_goes_on_until_the_best_rate_is_no_edge(monkeypatch):
    best = {"a": 0.8, "b": 0.1}

    def fake(plan, _work, _base):
        return [
            ["race", net, norm, lr, seed, abs(math.log(lr / best[norm])), *[None] * 6]
            for net, norm, lr, seed in plan
        ]

    monkeypatch.setattr(trainings, "train_rows", fake)
    data = trainings.frame(["n"], ["a", "b"], [7], QUICK, by="loss")
    first = {("n", "a"): (0.1, 0.2), ("n", "b"): (0.05, 0.1, 0.2)}
    data["rows"] = trainings.searched_rows(data, first, HERE)
    assert trainings.rates_of(data, "n", "a") == [0.1, 0.2, 0.4, 0.8, 1.6]
    assert trainings.rates_of(data, "n", "b") == [0.05, 0.1, 0.2]
    assert trainings.searched_rows(data, first, HERE) == data["rows"]
    assert [trainings.best_lr(data, "n", norm) for norm in "ab"] == [0.8, 0.1]


def test_a_row_is_what_a_training_gives():
    run = trainings.make_run("mlp6", "group_4", 0.1, 7, QUICK)
    assert (run.net, run.depth, run.width, run.norm_options) == ("mlp", 6, 64, {"group_size": 4})
    (row,) = trainings.train_rows([("mlp6", "group_4", 0.1, 7)], HERE, QUICK)
    found = dict(zip(trainings.COLUMNS, row, strict=True))
    history = train(run, trainings.ENGINE)
    loss = np.minimum(history.loss, math.log(10))
    assert found["loss"] == pytest.approx(loss.mean(), rel=1e-4)
    assert found["last_loss"] == pytest.approx(loss[-trainings.LAST :].mean(), rel=1e-4)
    assert found["val_accuracy"] == pytest.approx(history.val_accuracy[-2:].mean(), abs=1e-4)
    assert found["test_accuracy"] == round(history.test_accuracy, 4)


def test_normalizers_of_weights_have_no_other():
    run = trainings.make_run("plain10", "weight_norm", 0.1, 7)
    assert (run.norm, run.weight_norm) == ("none", "weight_norm")
    assert trainings.make_run("plain10", "layer", 0.1, 7).weight_norm == "none"


def test_taking_over_the_tuning_gives_the_same_numbers():
    small = {"nets": ("mlp6",), "base": QUICK}
    first = l5_tradeoff.measure([7], **small)
    again = l5_tradeoff.measure([7], **small, tuning=first)
    assert again == first


def test_usable_rates_are_near_each_seed_s_own_best():
    rows = [
        ["race", "n", "layer", lr, seed, 1.0, 1.0, accuracy, 0.5, None, None, None]
        for lr, accuracy in ((0.1, 0.8), (0.2, 0.76), (0.4, 0.7))
        for seed in (0, 1)
    ]
    data = {"columns": list(trainings.COLUMNS), "rows": rows, "seeds": [1], "tuning_seeds": [0]}
    assert l5_tradeoff.usable_rate(data, "n", "layer").tolist() == [0.2]


def of_order(cosines, losses, seeds=(1,)):
    """A measurement of L3 of normalizers with these numbers."""
    rows, norms = [], [f"n{k}" for k in range(len(cosines))]
    for norm, cosine, loss in zip(norms, cosines, losses, strict=True):
        for seed in (0, *seeds):
            rows.append(["race", "n", norm, 0.1, seed, loss, loss, 0.5, 0.5, None, None, None])
        for seed in seeds:
            rows.append(["start", "n", norm, None, seed, *[None] * 5, cosine, 1.0])
    data = {"columns": list(trainings.COLUMNS), "rows": rows, "nets": ["n"], "by": "loss"}
    return data | {"norms": norms, "seeds": list(seeds), "tuning_seeds": [0]}


def test_tau_is_one_if_more_alike_is_always_slower():
    assert l3_order.order(of_order([0.1, 0.2, 0.3, 0.4], [1, 2, 3, 4])).tolist() == [1.0] * 4
    assert l3_order.order(of_order([0.1, 0.2, 0.3, 0.4], [4, 3, 2, 1])).tolist() == [-1.0] * 4


def test_the_numbers_of_tau_are_those_of_the_jackknife():
    rng = np.random.default_rng(0)
    x, y = rng.random(12), rng.random(12)
    tau = stats.kendalltau(x, y).statistic
    left = [stats.kendalltau(np.delete(x, k), np.delete(y, k)).statistic for k in range(12)]
    found = l3_order.order(of_order(x, y))
    assert found == pytest.approx(12 * tau - 11 * np.array(left))
    assert found.mean() == pytest.approx(tau)


def test_the_interval_over_normalizers_covers_the_tau_of_all_of_them():
    """Samples of 12 normalizers out of many, whose tau is known."""
    rng, covered = np.random.default_rng(1), 0
    for _ in range(200):
        x, y = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 12).T
        low, high = interval(l3_order.order(of_order(x, y)))
        covered += low <= 2 / math.pi * math.asin(0.6) <= high
    assert covered > 175


def test_tau_within_group_norm_takes_no_other_normalizer():
    data = of_order([0.4, 0.3, 0.2, 0.1, 0.9], [4, 3, 2, 1, 0])
    names = dict(zip(data["norms"], [*l3_order.GROUPS, "batch"], strict=True))
    for row in data["rows"]:
        row[2] = names[row[2]]
    data["norms"] = list(names.values())
    assert l3_order.within(data).tolist() == [1.0] and l3_order.order(data).mean() < 1
    assert np.isnan(l3_order.within({**data, "norms": ["batch", "layer"]})).all()


def test_the_winner_is_chosen_by_tuning_seeds_alone():
    data = claims.load("L6").data
    before = l6_architectures.chosen(data)
    at = data["columns"].index("test_accuracy")
    for row in data["rows"]:
        if row[4] in data["seeds"]:
            row[at] = 0.0
    assert l6_architectures.chosen(data) == before
    assert (l6_architectures.values(data)["behind"] == 0).all()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("L3", {"seeds": [1, 772]}, r"seeds \[1\] chose the learning rates"),
        ("L5", {"seeds": [0]}, r"seeds \[0\] chose the learning rates"),
        ("L6", {"seeds": [0]}, r"seeds \[0\] chose the learning rates"),
        ("L5", {"seeds": [7], "tuning": {"base": {}}}, "leave 'tuning' out"),
        ("L3", {"norms": ("rms",)}, "two normalizers or more"),
        ("L3", {"seeds": range(40, 50)}, "give 12 seeds, or fewer than 8"),
    ],
)
def test_bad_options_say_what_is_needed(name, options, message):
    with pytest.raises(ValueError, match=message):
        claims.measure(name, **options)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("L2", {"norms": ["batch"]}, "L2 needs instance, group_2"),
        ("L4", {"depths": [2]}, "L4 needs 20, 10 too"),
        ("L4", {"norms": ["layer"], "depths": [20, 10]}, "L4 needs instance too"),
    ],
)
def test_what_is_compared_must_be_measured(name, options, message):
    with pytest.raises(ValueError, match=message):
        _ = claims.measure(name, seeds=[7], **options).values


def test_a_shallow_net_is_drawn_too():
    assert show.plot(claims.measure("L2", seeds=[7], depths=[2])).svgs


def test_text_follows_the_evidence(tmp_path, monkeypatch):
    """Change the file, and the sentence of the chapter and the alt text change with it."""
    stored, template = claims.load("L2"), "{layer_20:.2f}"
    before = float(str(show.say("L2", template)))
    for row in stored.data["rows"]:
        if row[:2] == [20, "layer"]:
            row[3][-1] /= 2
    stored.save(tmp_path)
    monkeypatch.setattr(evidence, "results_folder", lambda: tmp_path)
    after = float(str(show.say("L2", template)))
    assert after == pytest.approx(before / 2, abs=0.01)
    assert f"{after:.2f} (all)" in show.plot(claims.load("L2")).alt


@pytest.mark.parametrize("name", ["L2", "L3", "L4", "L5", "L6"])
def test_figures_have_a_text_that_names_their_numbers(name):
    drawing = show.plot(claims.load(name))
    assert len(drawing.alt) > 100 and "nan" not in drawing.alt and drawing.svgs
