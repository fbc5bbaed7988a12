"""The experiment on the noise of the batch: what is measured, and that it can be repeated."""

import copy

import numpy as np
import pytest
import torch

from bnlab.chapters.the_layer import noise, noise_figures
from bnlab.data import load
from bnlab.train import Run, Trainer

TINY = noise.BASE.replace(depth=1, width=8, steps=12, precision="float64")
RATES = (0.1, noise.SAME_RATE)


@pytest.fixture(scope="module")
def small():
    return noise.measure(TINY, (1249, 1250), (1251,), RATES)


def test_scores_are_those_of_a_training_by_itself(small):
    """Net by net, with the labels that were given, and the wrong ones alone."""
    right = load("digits", TINY.split_seed).train_y
    for ghost in (noise.NONE, 16):
        options = {} if ghost == noise.NONE else {"ghost_size": ghost}
        norm = "ghost_batch" if options else "none"
        run = TINY.replace(norm=norm, norm_options=options, seed=1250, lr=RATES[1])
        trainer = Trainer(run, "cpu")
        for _ in trainer.steps(looks=False):
            pass
        for name in ("train", "val", "test"):
            _, accuracy = trainer.evaluate(*trainer.part(name))
            found = noise_figures.score(small, ghost, name, RATES[1])[1] if name != "val" else None
            assert found is None or found == pytest.approx(accuracy, abs=1e-3)
        x, y = trainer.part("train")
        wrong = y != torch.tensor(right)
        repeated = (trainer.net.eval()(x[wrong]).argmax(1) == y[wrong]).double().mean().item()
        found = noise_figures.score(small, ghost, "by_heart", RATES[1])[1]
        assert found == pytest.approx(repeated, abs=1e-3)


def test_ghost_batches_of_the_whole_batch_are_batch_norm():
    runs = [
        TINY.replace(norm="batch", seed=1250),
        TINY.replace(norm="ghost_batch", norm_options={"ghost_size": 64}, seed=1250),
    ]
    losses = [[step.loss for step in Trainer(run, "cpu").steps(looks=False)][1:] for run in runs]
    np.testing.assert_allclose(*losses, rtol=1e-9)


def test_rates_are_chosen_by_validation_with_the_seeds_for_tuning_alone(small):
    data = copy.deepcopy(small)
    for row in data["rows"]:
        val = data["columns"].index("val")
        row[val] = [0.2, 0.9] if row[1] in data["seeds"] else [0.6, 0.5]
    assert set(noise_figures.own_rates(data).values()) == {RATES[0]}


def test_a_gain_needs_the_whole_interval_beyond_the_margin():
    near = np.array([0.001, -0.001, 0.002, -0.002] * 3)
    assert noise_figures.gains(0.03 + near) == noise_figures.GAINS
    assert noise_figures.gains(near) == noise_figures.GAINS_NOT
    assert noise_figures.gains(0.01 + near) == noise_figures.UNDECIDED


def test_differences_go_from_the_whole_batch_to_ghosts_of_four(small):
    found = noise_figures.differences(small)
    assert set(found) == set(noise.PREDICTED) == set(noise_figures.WORDS)
    lr = noise.SAME_RATE
    gaps = {g: noise_figures.score(small, g, "gap", lr) for g in (64, 4)}
    np.testing.assert_allclose(found["gap_same"], gaps[64] - gaps[4])
    tests = {g: noise_figures.score(small, g, "test", lr) for g in (64, 4)}
    np.testing.assert_allclose(found["test_same"], tests[4] - tests[64])


def test_figure_and_table_say_what_they_show(small):
    figure = noise_figures.gaps(small)
    told = noise_figures.facts(small)
    assert (
        len(figure.svgs) == 2 and told["test_same_4"] in figure.alt and "2 seeds" in figure.caption
    )
    text = noise_figures.scored(small).text
    assert "15 to 30\u00a0points" in text and "not as predicted" in text
    with pytest.raises(KeyError, match="test_same_5"):
        noise_figures.say(small, "{test_same_5}")


def test_the_stored_measurement_is_the_one_that_its_module_makes():
    data = noise.stored()
    assert Run.from_dict(data["base"]) == noise.BASE and data["rates"] == list(noise.RATES)
    assert data["seeds"] == list(noise.SEEDS) and data["tuning"] == list(noise.TUNING)
    assert not set(data["seeds"]) & set(data["tuning"]) and len(data["seeds"]) >= 8
    assert len(data["rows"]) == 5 * (len(data["seeds"]) + len(data["tuning"]))


def test_one_seed_repeats():
    """Of another machine it differs by rounding, which a long training makes larger."""
    data = noise.stored()
    (row,) = [row for row in data["rows"] if row[:2] == [64, noise.SEEDS[0]]]
    again = noise.scores(noise.BASE, 64, noise.SEEDS[0], list(noise.RATES))
    for name, old, new in zip(noise.SCORES, row[2:], again, strict=True):
        few = 0.12 if name == "by_heart" else 0.04
        np.testing.assert_allclose(new, old, atol=few)


def test_the_command_measures_and_writes_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(noise, "BASE", TINY)
    monkeypatch.setattr(noise, "SEEDS", (1249, 1250))
    monkeypatch.setattr(noise, "TUNING", (1251,))
    monkeypatch.setattr(noise, "FILE", tmp_path / "noise.json")
    monkeypatch.setattr(noise, "KEPT", tmp_path / "kept")
    with pytest.raises(FileNotFoundError, match="the_layer"):
        noise.stored()
    noise.main()
    data = noise.stored()
    assert data["rates"] == list(noise.RATES) and len(data["rows"]) == 5 * 3
    assert not (tmp_path / "kept").exists()
