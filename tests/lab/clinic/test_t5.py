"""The card T5: what it trains is what the evidence counts, in Python and in the page."""

import pytest

from bnlab import claims
from bnlab.chapters.clinic import t5_decay
from bnlab.lab.clinic import t5
from tests.lab.clinic.in_node import needs_node, of_the_page, whole

STATES = [
    {"decay": "all", "seed": t5.SEEDS[0], "repaired": True},
    {"decay": "gamma", "seed": t5.SEEDS[3], "repaired": False},
]


@pytest.fixture(scope="module")
def mine():
    return [whole(t5.t5_trainings(state, "compiled")) for state in STATES]


@needs_node
def test_the_page_computes_what_python_computes(mine, tmp_path):
    for theirs, own in zip(of_the_page(tmp_path, "t5", STATES, t5_decay.STEPS), mine, strict=True):
        assert theirs.keys() == own.keys()
        for name, curve in own.items():
            assert theirs[name].keys() == curve.keys()
            for key in ("loss", "accuracy", "step", "diverged_at", "done"):
                assert theirs[name][key] == curve[key], (name, key)
            # The weights have the same bits; the sums over them are taken in another order.
            for key in ("length", "rate", "gamma"):
                points = [[step, pytest.approx(value, rel=1e-12)] for step, value in curve[key]]
                assert theirs[name][key] == points, (name, key)
    assert [list(own) for own in mine] == [["undecayed", "all", "weights"], ["undecayed", "gamma"]]


def test_what_is_trained_is_what_the_evidence_counts(mine):
    data = claims.load("T5").data
    assert set(t5.SEEDS) <= set(data["seeds"])
    for state, curves in zip(STATES, mine, strict=True):
        at = data["seeds"].index(state["seed"])
        for name, curve in curves.items():
            for key in ("length", "gamma"):
                counted = t5_decay.ends(data, t5.ARMS[name], key)[at]
                assert curve[key][-1] == [t5_decay.STEPS, pytest.approx(counted, rel=1e-4)]


def test_decay_of_the_weights_makes_the_steps_larger_and_decay_of_gamma_does_not():
    for seed in t5.SEEDS:
        curves = whole(
            t5.t5_trainings({"decay": "gamma", "seed": seed, "repaired": True}, "compiled")
        )
        rate, gamma, loss = (
            {name: curve[key][-1][1] for name, curve in curves.items()}
            for key in ("rate", "gamma", "loss")
        )
        assert rate["weights"] > 3 * rate["undecayed"] > 2.9 * rate["gamma"]
        assert gamma["gamma"] < 0.7 < gamma["weights"]
        assert loss["gamma"] > loss["undecayed"]


def test_pytorch_trains_the_same(mine):
    theirs = whole(t5.t5_trainings(STATES[0], "torch"))
    for name, curve in mine[0].items():
        assert theirs[name]["length"][-1][1] == pytest.approx(curve["length"][-1][1], rel=0.01)
        assert theirs[name]["loss"][:4] == [
            [s, pytest.approx(v, rel=1e-3)] for s, v in curve["loss"][:4]
        ]
