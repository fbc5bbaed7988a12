"""LW2 on CIFAR-10: how each method chooses, and what is seen at the end of its trainings."""

import numpy as np
import pytest
import torch

from bnlab import claims
from bnlab.chapters.lawn import lw2_cifar10 as lw2
from bnlab.train import Run, Trainer, train
from bnlab.verdicts.race import Arm, outcome

TINY = Run(net="plain", depth=2, width=4, optimizer="adam", steps=20, eval_every=20)
FREE = {"lawn_33": 2, "lawn_100": 5, "lawn_300": 10, "lawn_600": 15}


@pytest.fixture
def tiny(monkeypatch):
    """The measurement with nets that train for a moment, on digits."""
    monkeypatch.setattr(lw2, "BASE", TINY)
    monkeypatch.setattr(lw2, "IMAGES", 50)
    arms = {}
    for name, arm in lw2.ARMS.items():
        options = {"optimizer_options": {"free_steps": FREE[name]}} if name in FREE else {}
        arms[name] = Arm(arm.fields | options, (1e-4, 3e-4))
    monkeypatch.setattr(lw2, "ARMS", arms)
    return arms


def test_what_is_seen_at_the_end_is_that_of_the_first_training_images(tiny):
    run = TINY.replace(**tiny["lawn_100"].fields, lr=0.001, seed=5)
    found = lw2.ended(run, "cpu")
    assert found[:-2] == outcome(train(run, "torch", "cpu"))
    trainer = Trainer(run, "cpu")
    list(trainer.steps())
    x, y = (part[:50] for part in trainer.part("train"))
    logits = trainer.net(x)
    loss = torch.nn.functional.cross_entropy(logits, y)
    parts = torch.autograd.grad(loss, list(trainer.net.parameters()))
    size = sum(float((part**2).sum()) for part in parts) ** 0.5
    assert found[-2:] == pytest.approx([float(logits.detach().abs().mean()), size], rel=1e-4)


def test_a_net_that_diverged_has_neither_logits_nor_gradient():
    lost = lw2.ended(TINY.replace(optimizer="sgd", lr=1e6), "cpu")
    assert lost[-2:] == [None, None] and lost[-3] is not None


def test_some_seeds_are_measured_again_and_only_the_chosen_settings_are_counted(tiny):
    data = lw2.measure([7, 8])
    again = lw2.repeat(data, [8])
    assert [row for row in again["rows"] if row[2] == 8] == [
        row for row in data["rows"] if row[2] == 8
    ]
    counted = [row[:2] for row in data["rows"] if row[2] == 7]
    assert counted == [list(lw2.chosen(data, how)) for how in lw2.METHODS]
    found = lw2.values(data)
    assert set(found) == {effect.name for effect in claims.claim("LW2", "cifar10").effects}
    assert all(numbers.shape == (2,) for numbers in found.values())
    assert {f"gradient_{how}" for how in lw2.METHODS} < set(lw2.facts(data))


def test_a_seed_that_chooses_is_not_counted(tiny):
    with pytest.raises(ValueError, match="chose the learning rates"):
        lw2.measure([0, 7])


@pytest.fixture
def data():
    """LAWN's late setting is the better one; its gradient is ten times that of Adam alone."""
    val = dict.fromkeys(lw2.ARMS, 0.4) | {"alone": 0.5, "decay_4": 0.55, "lawn_300": 0.52}
    rows = [
        [arm, lr, 0, 1.0, 1.0, score - (lr != 0.003) / 10, score, None, None, None]
        for arm, score in val.items()
        for lr in lw2.RATES
    ]
    for seed in lw2.SEEDS:
        for arm, logits, gradient in (
            ("alone", 4.0, 0.1),
            ("decay_4", 3.0, 0.2),
            ("lawn_300", 2.0, 1.0),
        ):
            rows.append([arm, 0.003, seed, 1.0, 1.0, val[arm], val[arm], None, logits, gradient])
    return {
        "base": lw2.BASE.to_dict(),
        "seeds": list(lw2.SEEDS),
        "tuning_seeds": [0],
        "arms": list(lw2.ARMS),
        "columns": list(lw2.COLUMNS),
        "rows": rows,
    }


def test_each_part_is_read_from_its_own_trainings(data):
    assert lw2.chosen(data, "lawn") == ("lawn_300", 0.003)
    found = lw2.values(data)
    np.testing.assert_allclose(found["gradient_own"], 1)
    np.testing.assert_allclose(found["logits_own"], np.log10(2))
    np.testing.assert_allclose(found["accuracy_own"], -0.03)
    facts = lw2.facts(data)
    assert facts["gradient_ratio"] == pytest.approx(10) and facts["arm_decay"] == "decay_4"
    assert facts["gain"] == pytest.approx(2) and facts["behind"] == pytest.approx(3)
    assert facts["tried_lawn_100"] == pytest.approx(40)
    assert claims.decide(claims.claim("LW2", "cifar10"), found).said == "shown in part"
