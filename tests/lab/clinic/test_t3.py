"""The card T3: what it trains is what the evidence counts, in Python and in the page."""

import pytest

from bnlab import claims
from bnlab.chapters.clinic import t3_frozen
from bnlab.lab.clinic import t3
from tests.lab.clinic.in_node import needs_node, of_the_page, whole

STATES = [{"seed": t3.SEEDS[0], "repaired": True}, {"seed": t3.SEEDS[3], "repaired": False}]


@pytest.fixture(scope="module")
def mine():
    return [whole(t3.t3_trainings(state, "compiled")) for state in STATES]


@needs_node
def test_the_page_computes_what_python_computes(mine, tmp_path):
    for theirs, own in zip(
        of_the_page(tmp_path, "t3", STATES, t3_frozen.BASE.steps), mine, strict=True
    ):
        assert theirs.keys() == own.keys()
        for name, curve in own.items():
            for key in ("old", "new", "step", "diverged_at", "done"):
                assert theirs[name][key] == curve[key], (name, key)
            # The means have the same bits; PyTorch takes the mean over them in float32.
            assert theirs[name]["moved"] == [
                [s, pytest.approx(v, rel=1e-5)] for s, v in curve["moved"]
            ]
    assert [list(own) for own in mine] == [["free", "head", "frozen"], ["free", "head"]]


def test_what_is_trained_is_what_the_evidence_counts(mine):
    data = claims.load("T3").data
    at = data["seeds"].index(STATES[0]["seed"])
    for way, curve in mine[0].items():
        assert t3.RATES[way] == t3_frozen.best_lr(data, way)
        told = {"val_new": curve["new"], "moved": curve["moved"]}
        for name, points in told.items():
            assert t3_frozen.column(data, way, name)[at] == round(points[-1][1], 4), (way, name)
    assert set(t3.SEEDS) <= set(data["seeds"])


def test_statistics_move_with_every_seed_and_the_repair_stops_them():
    """The first seeds of the claim, as they come: with one of them nothing is forgotten."""
    assert list(t3.SEEDS) == claims.load("T3").data["seeds"][:4]
    forgotten = []
    for seed in t3.SEEDS:
        curves = whole(t3.t3_trainings({"seed": seed, "repaired": True}, "compiled"))
        (_, before), *_, (_, after) = curves["head"]["old"]
        forgotten.append(before - after)
        assert curves["head"]["moved"][-1][1] > 0.05
        assert {value for _, value in curves["frozen"]["old"]} == {before}
        assert {value for _, value in curves["frozen"]["moved"]} == {0}
        assert curves["frozen"]["new"][-1][1] > curves["head"]["new"][-1][1]
    assert max(forgotten) > 0.01 and min(forgotten) > -0.01


def test_pytorch_trains_the_same(mine):
    theirs = whole(t3.t3_trainings(STATES[1], "torch"))
    for name, curve in mine[1].items():
        assert theirs[name]["old"][0] == [0, pytest.approx(curve["old"][0][1], abs=0.02)]
        assert theirs[name]["new"][-1][1] == pytest.approx(curve["new"][-1][1], abs=0.1)
