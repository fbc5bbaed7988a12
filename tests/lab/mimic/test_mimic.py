"""Mimic: what it offers, the stored start of its nets, and their training by Python."""

import math

import numpy as np
import pytest
import torch

from bnlab.chapters.mimicnorm import looks
from bnlab.engines.compiled.catalogue import MIMIC_DEPTHS, variants
from bnlab.engines.compiled.nets import Net
from bnlab.lab import Mimic
from bnlab.lab.kit.images import batch
from bnlab.lab.mimic.mimic import LOOKS, NETS, SEEDS, STARTS, mimic_run, start_curves
from bnlab.lab.mimic.mimic_start import DEPTH, cosines, of_pairs, profile, theory
from bnlab.norms import BatchNorm
from bnlab.norms.weight import WeightMean
from bnlab.show import STYLE
from bnlab.train import build, train, training
from tests.lab.kit.contrast import contrast
from tests.lab.kit.heard import Heard


class Spoken(Heard, Mimic):
    """A widget that is listened to."""


@pytest.fixture
def widget():
    widget = Spoken(device="cpu")
    yield widget
    widget.close()


# ---- the nets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "norms", "means"),
    [
        ("none", 0, 0),
        ("weight_mean", 0, 4),
        ("last_norm", 1, 0),
        ("mimic", 1, 4),
        ("batch", 4, 0),
    ],
)
def test_each_net_has_the_parts_that_its_name_says(name, norms, means):
    net = build(mimic_run(name, depth=4, lr=0.1, seed=970))
    found = [m for m in net.modules() if isinstance(m, BatchNorm)]
    assert len(found) == norms
    assert sum(isinstance(m, WeightMean) for m in net.modules()) == means
    if norms == 1:
        x = batch()[0]
        logits = net.train()(x)
        assert found[0].num_features == 10 and found[0].weight is None
        torch.testing.assert_close(logits.mean(0), torch.zeros(10), atol=1e-5, rtol=0)


def test_the_nets_start_from_the_same_random_numbers():
    nets = [build(mimic_run(name, depth=4, lr=0.1, seed=971)) for name in NETS]
    weights = [
        [p for key, p in net.named_parameters() if p.ndim == 2 and "head" not in key]
        for net in nets
    ]
    for others in weights[1:]:
        assert all(torch.equal(a, b) for a, b in zip(weights[0], others, strict=True))


def test_every_net_that_is_offered_is_compiled():
    assert set(variants("mimic")) == {(name, depth) for name in NETS for depth in MIMIC_DEPTHS}
    for (name, depth), net in variants("mimic").items():
        assert Net.of(mimic_run(name, depth=depth, lr=0.1, seed=970)).key == net.key


@pytest.mark.parametrize("name", NETS)
def test_a_compiled_net_trains_as_pytorch_does(name):
    run = mimic_run(name, depth=8, lr=0.1, seed=972).replace(steps=12)  # then roundings grow
    one, other = (train(run, engine) for engine in ("compiled", "torch"))
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-4)


# ---- the start -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", STARTS)
def test_the_stored_start_is_what_is_measured(kind):
    stored = start_curves()
    assert stored["seeds"] == len(SEEDS) and len(stored["layers"][kind]) == DEPTH == 30
    np.testing.assert_allclose(stored["layers"][kind], profile(kind), atol=2e-3)
    np.testing.assert_allclose(stored["theory"][kind], theory(kind), atol=2e-3)


@pytest.mark.parametrize(
    ("name", "kind"), [("last_norm", "none"), ("mimic", "weight_mean"), ("batch", "batch")]
)
def test_a_net_of_any_depth_starts_like_the_stored_one(name, kind):
    """A last BatchNorm changes nothing inside, and a layer's weights do not know the depth."""
    net = build(mimic_run(name, depth=4, lr=0.1, seed=973)).double().train()
    found = []
    for module in net.modules():
        if isinstance(module, torch.nn.ReLU):
            module.register_forward_pre_hook(lambda _, z: found.append(z[0].detach().numpy()))
    net(batch()[0].double())
    now = [of_pairs(z @ z.T) for z in found]
    np.testing.assert_allclose(now, cosines(kind, 973)[:4], atol=1e-6)


def test_without_weight_mean_images_draw_together_and_with_it_apart():
    layers, expected = start_curves()["layers"], start_curves()["theory"]
    for of in ([row[0] for row in layers["none"]], expected["none"]):
        assert of[0] < 0.7 and of[-1] > 0.95
    for kind in ("weight_mean", "batch"):
        for of in ([row[0] for row in layers[kind]], expected[kind]):
            assert abs(of[-1]) < 0.15


def test_the_theory_of_one_pair_is_the_papers_recursion():
    """Slope at 1: 1 without a normalizer, 1 / (1 - 1 / pi) = 1.467 with weight mean."""
    from bnlab.lab.mimic.mimic_start import _after_relu

    distance = 1e-6
    pair = np.array([[4.0, 2 * (1 - distance)], [2 * (1 - distance), 1.0]])
    for mean_out, slope in ((False, 1.0), (True, 1 / (1 - 1 / math.pi))):
        after = 1 - of_pairs(_after_relu(pair, mean_out))[0]
        assert after / distance == pytest.approx(slope, rel=2e-3)
    right = np.eye(2)
    assert of_pairs(_after_relu(right, mean_out=True))[0] == pytest.approx(0, abs=1e-12)
    assert of_pairs(_after_relu(right, mean_out=False))[0] == pytest.approx(1 / math.pi)


def test_in_wide_nets_the_theory_is_what_is_measured():
    """At width 1,024 the medians of the first layers are those of the theory."""
    wide = variants("mimic")["weight_mean", 4]
    net = Net(**{**vars(wide), "width": 1024}).module(3).double().train()
    found = []
    for module in net.modules():
        if isinstance(module, torch.nn.ReLU):
            module.register_forward_pre_hook(lambda _, z: found.append(z[0].detach().numpy()))
    net(batch()[0].double())
    medians = [np.median(of_pairs(z @ z.T)) for z in found]
    np.testing.assert_allclose(medians, theory("weight_mean")[:4], atol=0.05)


# ---- looks ---------------------------------------------------------------------------------------


def test_looks_can_be_read_and_told_apart():
    nets = [LOOKS[name] for name in NETS if name in LOOKS]
    others = [STYLE[name] for name in ("none", "batch")]
    for look in nets:
        assert look["label"] and look["short"]
        assert contrast(look["light"], "#ffffff") >= 4.5
        assert contrast(look["dark"], "#14181e") >= 4.5
    for key in ("marker", "light", "dark"):
        assert len({look[key] for look in [*nets, *others]}) == len(NETS), key


def test_a_net_looks_as_in_the_figures_of_its_chapter():
    for name in LOOKS.keys() & looks.LOOKS.keys():
        own, style = LOOKS[name], STYLE[looks.LOOKS[name]]
        assert all(own[part] == style[part] for part in ("light", "dark", "dash", "marker"))


# ---- the kernel ----------------------------------------------------------------------------------


def test_python_trains_what_a_state_means(widget):
    widget.ask(1, norms=["mimic", "none"], depth=2, lr=0.3, seed=973)
    assert widget.wait(60)
    assert widget.of(1, "finished")[0]["stopped"] is False
    points = widget.of(1, "points")
    assert {m["norm"] for m in points} == {"none", "mimic"}
    run = mimic_run("mimic", depth=2, lr=0.3, seed=973)
    wanted = [[s.step, s.val_accuracy] for s in training(run) if s.val_accuracy is not None]
    assert [p for m in points if m["norm"] == "mimic" for p in m["accuracy"]] == wanted


def test_divergence_is_told_with_finite_numbers_alone(widget):
    widget.ask(1, norms=["weight_mean"], depth=8, lr=3.0)
    assert widget.wait(60)
    ends = [m for m in widget.of(1, "points") if m["done"]]
    assert ends and ends[0]["diverged_at"] is not None


def test_the_newest_setting_wins(widget):
    for number in range(2, 40):
        widget.ask(number, lr=0.1, depth=2, norms=["none"])
    assert widget.wait(60)
    assert widget.of(39, "finished")[0]["stopped"] is False
    assert all(widget.of(n, "finished")[0]["stopped"] for n in range(3, 39))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"norms": ["layer"]}, "unknown normalizer 'layer'"),
        ({"norms": []}, "one or more different ones of none, weight_mean"),
        ({"depth": 3}, "depth must be one of 2, 4"),
        ({"lr": 0.2}, "lr must be one of"),
        ({"seed": 1}, "seed must be one of"),
        ({"predict": 1}, "predict must be True or False"),
    ],
)
def test_what_is_not_offered_is_refused_with_what_is(wrong, message):
    with pytest.raises(ValueError, match=message):
        Mimic(**wrong)


def test_a_wrong_state_of_the_page_comes_back_as_text(widget):
    widget.ask(5, depth=5)
    assert "depth must be one of" in widget.of(5, "error")[0]["text"]
