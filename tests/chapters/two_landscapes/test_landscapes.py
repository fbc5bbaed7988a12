"""Both landscapes: what they are by hand, what divergence does to them, and what the page says."""

import copy
import json

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bnlab.chapters.two_landscapes import cifar10, landscape_figures, landscapes
from bnlab.chapters.two_landscapes.landscapes import NORMS, RATES
from bnlab.measure import VGG
from bnlab.train import Run, Trainer, train

TINY = Run(net="mlp", depth=2, width=8, batch_size=16, steps=6, precision="float64")


@pytest.fixture(scope="module")
def small():
    return landscapes.measure(TINY, seeds=(2190, 2191), every=2)


@pytest.fixture(scope="module")
def shown():
    """What the page measures, for the first of its seeds."""
    return landscapes.measure(seeds=landscapes.SEEDS[:1])


def test_the_band_lies_between_the_losses_of_trainings(small):
    losses = [train(TINY.replace(norm="batch", lr=lr, seed=2191)).loss for lr in RATES]
    low, high = landscapes.edges(small, "batch", RATES)
    np.testing.assert_allclose(low[1], np.min(losses, 0)[::2], rtol=1e-3)
    np.testing.assert_allclose(high[1], np.max(losses, 0)[::2], rtol=1e-3)
    width = np.ptp(np.array(losses)[:, ::2], axis=0).mean()
    assert landscapes.width(small, "batch", RATES)[1] == pytest.approx(width, rel=1e-2)


def test_the_range_is_that_of_the_loss_at_w_minus_s_g(small):
    """At the third look, with weights that are moved by hand."""
    trainer = Trainer(TINY.replace(norm="batch", lr=0.1, seed=2190), "cpu")
    plan = list(trainer.batches)
    for step in range(4):
        trainer.update(plan[step], step + 1)
    x, y = trainer.batch(plan[4], 5)
    net, parameters = trainer.net.train(), list(trainer.net.parameters())
    g, w = (
        torch.autograd.grad(cross_entropy(net(x), y), parameters),
        [p.detach().clone() for p in parameters],
    )
    losses = []
    for s in VGG.steps(0.1):
        for p, at, slope in zip(parameters, w, g, strict=True):
            p.data = at - s * slope
        losses.append(cross_entropy(net(x), y).item())
    for name, wanted in (("lowest", min(losses)), ("highest", max(losses))):
        found = landscapes.curves(small, "batch", 0.1, name)[0, 2]
        assert found == pytest.approx(wanted, rel=1e-3)


def test_a_net_that_diverged_makes_its_band_and_its_range_infinite(small):
    data = copy.deepcopy(small)
    (row,) = [row for row in data["rows"] if row[:3] == ["none", 0.1, 2190]]
    row[3:] = [numbers[:2] for numbers in row[3:]]  # no third look
    lost = landscapes.curves(data, "none", 0.1, "loss")
    assert np.isinf(lost[0, 2:]).all() and np.isfinite(lost[0, :2]).all() and lost.shape == (2, 3)
    assert np.isinf(landscapes.width(data, "none", RATES)).tolist() == [True, False]
    assert np.isfinite(landscapes.width(data, "none", RATES[:3])).all()
    assert np.isinf(landscapes.early_range(data, "none", 0.1)).tolist() == [False, False]
    assert landscapes.facts(data)["band_all"] == 0 < landscapes.facts(data)["band_low"]
    for figure in (landscape_figures.side_by_side(data), landscape_figures.orders(data)):
        assert len(figure.svgs) == 2 and "1 of 16 nets diverged" in figure.caption
    assert "diverged" not in landscape_figures.orders(small).caption


def test_looks_end_where_a_net_diverges(monkeypatch):
    monkeypatch.setattr(landscapes, "DIVERGED", 1e-9)
    data = landscapes.measure(TINY, RATES, (2190,), every=2)
    assert {len(numbers) for row in data["rows"] for numbers in row[3:]} == {1}
    json.dumps(data, allow_nan=False)


def test_a_rate_beyond_the_papers_steps_is_refused():
    with pytest.raises(ValueError, match="beyond this grid's cap"):
        landscapes.measure(TINY, (0.01, 0.03, 0.1, 1.0), (2190,))


def test_a_band_of_one_rate_has_no_width_and_more_rates_never_narrow_it(small):
    for norm in NORMS:
        assert (landscapes.width(small, norm, RATES[:1]) == 0).all()
        widths = [landscapes.width(small, norm, RATES[:count]) for count in range(1, 5)]
        assert (np.diff(widths, axis=0) >= 0).all()


def test_nets_of_a_seed_stand_at_one_place_before_their_first_step(small):
    for norm in NORMS:
        low, high = landscapes.edges(small, norm, RATES)
        assert (low[:, 0] == high[:, 0]).all()


def test_what_the_page_says_of_digits_comes_out(shown):
    found = landscapes.facts(shown)
    assert found["band_high"] > 1.2 and found["range_top"] < 0.5  # "the rougher", "the smoother"
    assert found["band_low"] < 1 < found["band_all"] < found["band_high"] < found["band_top"]
    assert found["range_0_003"] > 1 > found["range_0_03"] > found["range_top"]  # "turns too"
    assert (
        abs(np.log(found["range_0_003"] / found["squared_0_003"])) < 0.1
    )  # "follows the squared length"
    assert found["range_0_03"] < 1 > found["band_low"]  # "the narrower range as well"
    assert found["range_top"] < 0.6 * found["squared_0_1"]  # "length alone does not explain"
    ends = {(n, lr): landscapes.curves(shown, n, lr, "loss")[0, -1] for n in NORMS for lr in RATES}
    half = {key: landscapes.curves(shown, *key, "loss")[0, 5:10].mean() for key in ends}
    for norm in NORMS:  # "mostly that of the smallest rate"
        assert max(RATES, key=lambda lr: ends[norm, lr]) == RATES[0]
    behind = {lr: half["batch", lr] / half["none", lr] for lr in RATES}
    assert min(behind[lr] for lr in RATES[:3]) > 1  # "behind at the smaller rates"
    assert 0.6 < behind[0.1] < 1.6  # "about level at 0.1"


def test_figures_say_what_they_show(small):
    found = landscapes.facts(small)
    for figure in (landscape_figures.side_by_side(small), landscape_figures.orders(small)):
        assert len(figure.svgs) == 2 and "nan" not in figure.alt
        assert "2 seeds, 6 steps" in figure.caption and "digits" not in figure.caption
    assert "0.003 to 0.03" in landscape_figures.orders(small).alt
    assert landscape_figures.power(found["band_high"]) in landscape_figures.side_by_side(small).alt


def test_a_prediction_that_fails_is_said_to(small):
    said = landscape_figures.scored(small, {"band_low": (50, 60)}).text
    assert "50 to 60 times" in said and "So: not as predicted" in said
    width = landscapes.facts(small)["band_low"]
    assert "So: as predicted" in landscape_figures.scored(small, {"band_low": (0, 2 * width)}).text


def test_a_sentence_with_an_unknown_number_is_refused(small):
    assert "2 seeds at 0.1" in landscape_figures.say(small, "{seeds} seeds at {top}").text
    with pytest.raises(KeyError, match="band_none"):
        landscape_figures.say(small, "{band_none}")


def test_the_command_measures_both_nets_at_its_rates_and_writes_a_file(tmp_path, monkeypatch):
    """With a tiny net on digits in place of the VGG."""
    monkeypatch.setattr(cifar10, "BASE", TINY)
    monkeypatch.setattr(cifar10, "EVERY", 3)
    monkeypatch.setattr(cifar10, "FILE", tmp_path / "small.json")
    monkeypatch.setattr(cifar10, "KEPT", tmp_path / "kept")
    with pytest.raises(FileNotFoundError, match="two_landscapes"):
        cifar10.stored()
    cifar10.main()
    data = cifar10.stored()
    assert data["rates"] == list(cifar10.RATES) and data["looks"] == [0, 3]
    assert len(data["rows"]) == 2 * len(data["rates"]) * len(data["seeds"])
    assert not (tmp_path / "kept").exists()
    assert set(cifar10.PREDICTED) <= set(landscapes.facts(data))


def test_photographs_are_named_in_the_caption(small):
    data = {**small, "images": "CIFAR-10, a copy"}
    data["base"] = {**small["base"], "data": "cifar10", "image_size": 16}
    caption = landscape_figures.orders(data).caption
    assert "Images: CIFAR-10, a copy at 16 x 16 pixels." in caption
