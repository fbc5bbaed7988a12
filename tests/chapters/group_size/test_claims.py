"""What L2 to L6 measure, and that their rates are those that the tuning seeds chose."""

import math

import numpy as np
import pytest
import torch

from bnlab import claims, show
from bnlab.chapters.group_size import l2_l4_at_start, l3_l5_trained, l6_architectures, trainings
from bnlab.chapters.signals.b3_to_b6_l1_at_start import batch
from bnlab.train import Run, train
from bnlab.verdicts import evidence
from bnlab.verdicts.work import HERE

QUICK = trainings.BASE.replace(steps=4, eval_every=4)


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
    found = l3_l5_trained.sharpness(net, 2)
    x, y = batch(2)
    logits, weights = net.double()(x), list(net.parameters())
    p, total = logits.softmax(1).detach(), 0
    for n in range(len(y)):
        rows = [torch.autograd.grad(z, weights, retain_graph=True) for z in logits[n]]
        jacobian = torch.stack([torch.cat([g.flatten() for g in row]) for row in rows])
        bent = torch.diag(p[n]) - p[n][:, None] * p[n]
        total = total + jacobian.T @ bent @ jacobian / len(y)
    assert found == pytest.approx(float(torch.linalg.eigvalsh(total)[-1]), rel=0.01)


def test_every_normalizer_has_the_same_grid_and_its_results_are_in_the_evidence():
    for name in ("L3", "L5", "L6"):
        data = claims.load(name).data
        assert not set(data["seeds"]) & set(data["tuning_seeds"]) and len(data["seeds"]) >= 8
        for net in data["nets"]:
            for norm in data["norms"]:
                tried = {
                    (row[3], row[4])
                    for row in data["rows"]
                    if row[:3] == ["race", net, norm] and row[4] in data["tuning_seeds"]
                }
                assert tried == {(lr, s) for lr in data["lrs"] for s in data["tuning_seeds"]}
                best = trainings.best_lr(data, net, norm)
                scores = {
                    lr: trainings.column(
                        data, net, norm, lr, "val_accuracy", data["tuning_seeds"]
                    ).mean()
                    for lr in data["lrs"]
                }
                assert scores[best] == max(scores.values())


def test_a_row_is_what_a_training_gives():
    run = trainings.make_run("mlp6", "group_4", 0.1, 7, QUICK)
    assert (run.net, run.depth, run.width, run.norm_options) == ("mlp", 6, 64, {"group_size": 4})
    (row,) = trainings.train_rows([("mlp6", "group_4", 0.1, 7)], HERE, QUICK)
    found = dict(zip(trainings.COLUMNS, row, strict=True))
    history = train(run)
    assert found["loss"] == pytest.approx(np.minimum(history.loss, math.log(10)).mean(), rel=1e-4)
    assert found["test_accuracy"] == round(history.test_accuracy, 4)


def test_taking_over_the_tuning_gives_the_same_numbers():
    small = {"nets": ("mlp6",), "base": QUICK}
    first = l3_l5_trained.measure_tradeoff([7], **small)
    again = l3_l5_trained.measure_tradeoff([7], **small, tuning=first)
    assert again == first


def test_usable_rates_are_near_each_seed_s_own_best():
    rows = [
        ["race", "n", "layer", lr, 1, 1.0, accuracy, 0.5, None, None, None]
        for lr, accuracy in ((0.1, 0.8), (0.3, 0.76), (1.0, 0.7))
    ]
    data = {"columns": list(trainings.COLUMNS), "rows": rows, "seeds": [1]}
    data["lrs"] = [0.1, 0.3, 1.0]
    assert trainings.usable_rate(data, "n", "layer").tolist() == [0.3]


def test_tau_is_one_if_more_alike_is_always_slower():
    norms, rows = ["a", "b", "c"], []
    for k, norm in enumerate(norms):
        for seed in (0, 1):
            rows.append(["race", "n", norm, 0.1, seed, 1.0 + k, 0.5, 0.5, None, None, None])
        rows.append(["start", "n", norm, None, 1, None, None, None, None, 0.1 * k, 1.0])
    data = {"columns": list(trainings.COLUMNS), "rows": rows, "nets": ["n"]}
    data |= {"norms": norms, "lrs": [0.1], "seeds": [1], "tuning_seeds": [0]}
    assert l3_l5_trained.order(data).tolist() == [1.0]
    for row in rows:
        row[9] = None if row[9] is None else -row[9]
    assert l3_l5_trained.order(data).tolist() == [-1.0]


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
        ("L3", {"seeds": [1, 620]}, r"seeds \[1\] chose the learning rates"),
        ("L5", {"seeds": [0]}, r"seeds \[0\] chose the learning rates"),
        ("L6", {"seeds": [0]}, r"seeds \[0\] chose the learning rates"),
        ("L5", {"seeds": [7], "tuning": {"base": {}}}, "leave 'tuning' out"),
    ],
)
def test_bad_options_say_what_is_needed(name, options, message):
    with pytest.raises(ValueError, match=message):
        claims.measure(name, **options)


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
