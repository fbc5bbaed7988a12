"""T1 in the widget: the trainings are those that the evidence counts."""

import pytest
import torch

from bnlab.chapters.clinic import t1_modes
from bnlab.chapters.clinic.setting import start_from, trained
from bnlab.chapters.clinic.t1_modes import CAUSES, LAST, SEEDS, averaged, run_of
from bnlab.lab.clinic import t1
from bnlab.lab.clinic.t1 import CARD, t1_trainings
from bnlab.train import make_trainer
from tests.lab.kit.heard import collected

STEPS = 200


def curves(cause, engine="compiled", **changes):
    state = {"cause": cause, "seed": SEEDS[0], "repaired": True, **changes}
    return collected(t1_trainings(state, engine))


def ends(found):
    return {name: curve["accuracy"][-1][1] for name, curve in found.items()}


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("seed", CARD.seeds)
def test_symptom_and_repair_are_seen_with_every_seed(cause, seed):
    found = ends(curves(cause, seed=seed))
    assert found["train"] > 0.9 and found["eval"] < found["train"] - 0.05
    assert found["repaired"] > found["train"] - 0.02


@pytest.mark.parametrize("cause", CAUSES)
def test_its_last_net_is_the_one_of_the_evidence(cause, monkeypatch):
    """The weights and the statistics that T1 measures on the test images."""
    seen = []
    taken = t1._accuracies
    monkeypatch.setattr(t1, "_accuracies", lambda *one: seen.append(one[1]) or taken(*one))
    for _ in t1_trainings({"cause": cause, "seed": SEEDS[0], "repaired": False}, "compiled"):
        pass
    run = run_of(cause, SEEDS[0])
    if cause == "averaged":
        net, _ = averaged(run)
    else:
        trainer = trained(run)
        if cause == "one_class":
            t1_modes.see_one_class(trainer)
        net = trainer.net
    mine, theirs = seen[-1].state_dict(), net.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_points_come_every_twenty_steps_and_more_often_in_the_last_batches():
    steps = [step for step, _ in curves("one_class")["eval"]["accuracy"]]
    assert steps == [*range(0, STEPS + 1, 20), *range(STEPS + 5, STEPS + LAST + 1, 5)]
    assert [s for s, _ in curves("slow")["eval"]["accuracy"]] == list(range(0, STEPS + 1, 20))


def test_before_the_last_batches_nothing_is_wrong():
    found = curves("one_class")
    at = found["eval"]["accuracy"][STEPS // 20], found["train"]["accuracy"][STEPS // 20]
    assert at[0][0] == at[1][0] == STEPS and at[0][1] == pytest.approx(at[1][1], abs=0.03)


@pytest.mark.parametrize("cause", CAUSES)
def test_torch_and_the_compiled_nets_agree(cause):
    one, other = (curves(cause, engine) for engine in ("torch", "compiled"))
    for name, curve in one.items():
        for (step, mine), (same, theirs) in zip(
            curve["accuracy"], other[name]["accuracy"], strict=True
        ):
            assert step == same and mine == pytest.approx(theirs, abs=0.03), (name, step)


def test_the_viewer_shows_what_the_net_itself_computes():
    run = run_of("slow", SEEDS[0])
    trainer, viewer = trained(run), make_trainer(run, "compiled", "cpu")
    start_from(viewer, trainer.net.state_dict())
    val = viewer.part("val")
    for mode in (False, True):
        assert viewer.evaluate(*val, mode) == trainer.evaluate(*val, mode)
