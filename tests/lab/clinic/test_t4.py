"""The card T4: what it trains is what the evidence counts, in Python and in the page."""

import numpy as np
import pytest

from bnlab import claims
from bnlab.chapters.clinic import t4_accumulation
from bnlab.lab.clinic import t4
from bnlab.lab.clinic.accumulated import Accumulated
from bnlab.train import Engine, make_trainer
from bnlab.verdicts.race import at_rate, best_lr
from tests.lab.clinic.in_node import needs_node, of_the_page, whole

STATES = [
    {"micro": 4, "seed": t4.SEEDS[0], "repaired": True},
    {"micro": 16, "seed": t4.SEEDS[3], "repaired": False},
]
STEPS = t4_accumulation.BASE.steps


@pytest.fixture(scope="module")
def mine():
    return [whole(t4.t4_trainings(state, "compiled")) for state in STATES]


def ends(curves: dict, key: str) -> dict[str, float]:
    return {name: curve[key][-1][1] for name, curve in curves.items() if curve[key]}


@needs_node
def test_the_page_computes_what_python_computes(mine, tmp_path):
    for theirs, own in zip(of_the_page(tmp_path, "t4", STATES, STEPS), mine, strict=True):
        assert theirs.keys() == own.keys()
        for name, curve in own.items():
            assert theirs[name].keys() == curve.keys()
            for key in ("loss", "accuracy", "step", "diverged_at", "done"):
                assert theirs[name][key] == curve[key], (name, key)
            # The weights have the same bits; PyTorch takes these gradients, with its own rounding.
            is_rounding = name.startswith("layer")
            for (step, one), (s, other) in zip(
                theirs[name]["distance"], curve["distance"], strict=True
            ):
                same = (
                    max(one, other) < 1e-6 if is_rounding else one == pytest.approx(other, rel=1e-3)
                )
                assert step == s and same, (name, step, one, other)
    assert [list(own) for own in mine] == [list(t4.CURVES), ["whole", "accumulated"]]


def test_what_is_trained_is_what_the_evidence_counts(mine):
    data = claims.load("T4").data
    assert {t4.RATES["batch"]} == {best_lr(data, arm) for arm in ("whole", "ghost")}
    at = data["seeds"].index(STATES[0]["seed"])
    counted = at_rate(data, "whole", "val_accuracy")[at]
    assert round(ends(mine[0], "accuracy")["whole"], 4) == counted
    before = t4_accumulation.differences_of(data, "whole")[at, 0]
    assert mine[0]["accumulated"]["distance"][0] == [0, pytest.approx(before, rel=1e-3)]
    assert set(t4.SEEDS) <= set(data["seeds"]) and t4_accumulation.MICRO in t4.MICRO


def losses(trainer: Engine) -> list[float]:
    return [record.loss for record in trainer.steps(looks=False) if record.step]


def test_accumulation_is_ghost_batches_to_rounding():
    run = t4.run_of("batch", t4.SEEDS[0]).replace(steps=12, precision="float64")
    ghost = make_trainer(run.replace(**t4_accumulation.GHOST), "compiled", "cpu")
    accumulated = Accumulated(make_trainer(run, "compiled", "cpu"), t4_accumulation.PARTS)
    np.testing.assert_allclose(losses(accumulated), losses(ghost), rtol=1e-6)


def test_with_layer_normalization_both_are_the_same_to_rounding(mine):
    one, other = (mine[0][f"layer_{name}"] for name in ("whole", "accumulated"))
    for key, within in (("loss", 0.001), ("accuracy", 0.01)):
        pairs = zip(one[key], other[key], strict=True)
        assert all(a == [step, pytest.approx(b, abs=within)] for a, (step, b) in pairs), key


def test_the_symptom_is_there_with_every_seed():
    for seed in t4.SEEDS:
        curves = whole(t4.t4_trainings({"micro": 4, "seed": seed, "repaired": True}, "compiled"))
        loss, accuracy, distance = (ends(curves, key) for key in ("loss", "accuracy", "distance"))
        assert loss["accumulated"] > 3 * loss["whole"]
        assert accuracy["accumulated"] < accuracy["whole"] - 0.02
        assert distance["accumulated"] > 0.5 and distance["layer_accumulated"] < 1e-6


@pytest.mark.parametrize("engine", ["torch", "compiled"])
def test_one_part_is_the_whole_batch(engine):
    run = t4.run_of("batch", 0).replace(steps=5, precision="float64")
    one, other = make_trainer(run, engine, "cpu"), Accumulated(make_trainer(run, engine, "cpu"), 1)
    losses = [
        [record.loss for record in trainer.steps() if record.step] for trainer in (one, other)
    ]
    np.testing.assert_allclose(*losses, rtol=1e-12)


def test_parts_on_both_engines_are_the_same():
    run = t4.run_of("batch", 0).replace(steps=5, precision="float64")
    both = [Accumulated(make_trainer(run, engine, "cpu"), 8) for engine in ("torch", "compiled")]
    np.testing.assert_allclose(*map(losses, both), rtol=1e-9)
