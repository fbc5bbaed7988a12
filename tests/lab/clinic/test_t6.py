"""The card of T6: what it trains is what the claim counts, in Python and in the page."""

import shutil

import pytest

from bnlab import claims
from bnlab.chapters.clinic.t6_order import RATES, SEEDS
from bnlab.lab.clinic.t6 import CARD, OWN, order_run, t6_trainings
from bnlab.verdicts.race import best_lr, of_arm
from tests.lab.clinic.in_node import of_the_page, whole

STEPS = 300
STATES = [
    {"depth": 2, "bias": "bias", "lr": 3.0, "seed": SEEDS[0], "repaired": True},
    {"depth": 6, "bias": "bare", "lr": 1.0, "seed": SEEDS[1], "repaired": False},
    {"depth": 6, "bias": "bias", "lr": 0.1, "seed": SEEDS[2], "repaired": True},
]
CURVES = ["before", "after", "before_own", "after_own"]


@pytest.fixture(scope="module")
def evidence():
    return claims.load("T6").data


def test_the_own_rates_are_those_of_the_evidence(evidence):
    assert {arm: best_lr(evidence, arm) for arm in evidence["arms"]} == OWN
    assert set(OWN.values()) < set(RATES)


@pytest.mark.parametrize("state", [STATES[0], STATES[2]], ids=["shallow", "deep"])
def test_repaired_it_ends_where_the_counted_runs_end(evidence, state):
    found = whole(t6_trainings(state, "compiled"))
    assert list(found) == CURVES
    for order in ("before", "after"):
        rows = of_arm(evidence, f"{order}_bias_{state['depth']}").where(seed=state["seed"])
        lr = best_lr(evidence, f"{order}_bias_{state['depth']}")
        (counted,) = rows.where(lr=lr).entries("val_accuracy")
        step, reached = found[f"{order}_own"]["accuracy"][-1]
        assert (step, round(reached, 4)) == (STEPS, counted)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_page_computes_what_python_computes(tmp_path):
    for state, theirs in zip(STATES, of_the_page(tmp_path, "t6", STATES, STEPS), strict=True):
        mine = whole(t6_trainings(state, "compiled"))
        assert theirs == mine, state
        assert list(mine) == CURVES[: 4 if state["repaired"] else 2]


@pytest.mark.parametrize("seed", CARD.seeds)
def test_at_first_one_order_wins_and_repaired_the_two_are_level_with_every_seed(seed):
    state = {**CARD.first, "seed": seed, "repaired": True}
    found = whole(t6_trainings(state, "compiled"))
    ends = {name: curve["accuracy"][-1][1] for name, curve in found.items()}
    assert ends["before"] > ends["after"] + 0.2
    assert ends["before_own"] == pytest.approx(ends["after_own"], abs=0.0201)
    assert ends["before_own"] > ends["before"] + 0.05


def test_only_what_the_state_names_differs():
    state = STATES[0]
    before, after = (order_run(order, state, state["lr"]) for order in ("before", "after"))
    assert after.net_options == {"order": "relu_norm"}
    assert before == after.replace(net_options={})
