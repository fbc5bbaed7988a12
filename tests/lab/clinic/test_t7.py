"""The card of T7: what it trains is what the claim looks at, in Python and in the page."""

import copy
import shutil

import pytest

from bnlab import claims
from bnlab.chapters.clinic.t7_dropout import SEEDS, looks
from bnlab.lab.clinic.t7 import CARD, t7_trainings
from tests.lab.clinic.in_node import of_the_page, whole

STEPS, DEPTH = 600, 4
STATES = [
    {"where": "before", "share": 0.5, "seed": SEEDS[0], "repaired": True},
    {"where": "layer", "share": 0.2, "seed": SEEDS[1], "repaired": False},
]


@pytest.fixture(scope="module")
def found():
    return [whole(t7_trainings(state, "compiled")) for state in STATES]


def test_the_variances_are_those_of_the_counted_runs(found):
    evidence = claims.load("T7").data
    for name, arm in (("dropout", "before_5"), ("none", "none"), ("head", "head_5")):
        counted = 10 ** looks(evidence, arm, "shifts")[evidence["seeds"].index(SEEDS[0])]
        assert found[0][name]["ratio"] == [[i, pytest.approx(v)] for i, v in enumerate(counted, 1)]


def test_dropout_makes_the_remembered_variance_too_large_and_elsewhere_does_not(found):
    repaired, mild = found
    assert min(ratio for _, ratio in repaired["dropout"]["ratio"]) > 1.5
    for name in ("none", "head"):
        assert all(ratio == pytest.approx(1, abs=0.15) for _, ratio in repaired[name]["ratio"])
    assert mild["dropout"]["ratio"][-1][1] > 1.1 and "head" not in mild


@pytest.mark.parametrize("seed", CARD.seeds)
def test_symptom_and_repair_are_seen_with_every_seed(seed):
    found = whole(t7_trainings({**CARD.first, "seed": seed, "repaired": True}, "compiled"))
    dropout, none, head = (found[name]["accuracy"][-1][1] for name in ("dropout", "none", "head"))
    assert dropout < none - 0.05 and head == pytest.approx(none, abs=0.02)
    assert min(ratio for _, ratio in found["dropout"]["ratio"]) > 1.5


def test_the_net_in_training_mode_is_told_beside_the_net_itself(found):
    for curves in found:
        one, other = curves["dropout"], curves["in_training"]
        assert [step for step, _ in other["accuracy"]] == [step for step, _ in one["accuracy"]]
        assert other["accuracy"] != one["accuracy"]
        assert set(other) == {"accuracy", "step", "diverged_at", "done"}


def test_statistics_computed_anew_bring_back_some_of_what_is_lost(found):
    curve, none = found[0]["dropout"], found[0]["none"]
    assert curve["accuracy"][-1][1] < curve["anew"] < none["accuracy"][-1][1]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_page_computes_what_python_computes(tmp_path, found):
    found = copy.deepcopy(found)
    for theirs, mine in zip(of_the_page(tmp_path, "t7", STATES, STEPS), found, strict=True):
        for name, curve in theirs.items():
            if name == "in_training":
                continue
            assert round(curve.pop("anew"), 4) == mine[name].pop("anew")
            # The chapter rounds its logarithms to four digits behind the point.
            ratios = [[layer, pytest.approx(v, rel=3e-4)] for layer, v in mine[name].pop("ratio")]
            assert curve.pop("ratio") == ratios
        assert theirs == mine
