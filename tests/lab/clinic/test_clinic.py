"""Clinic: its cards, what each offers, and what holds for the trainings of all of them."""

import json
import re

import numpy as np
import pytest

from bnlab import claims
from bnlab.draw.scene import Scene
from bnlab.lab import Clinic, site
from bnlab.lab.clinic import CARDS
from bnlab.lab.kit.bundle import FOLDER
from tests.lab.kit.heard import Heard, collected


class Spoken(Heard, Clinic):
    """A widget that is listened to."""


def state_of(card, **changes):
    return {**card.first, "seed": card.seeds[0], "repaired": False, **changes}


@pytest.fixture(params=CARDS, ids=str)
def card(request):
    return CARDS[request.param]


# ---- what a card is ------------------------------------------------------------------------------


def test_a_card_has_its_claims_seeds_and_three_sentences_or_more(card):
    assert set(card.seeds) <= set(claims.load(card.id).data["seeds"]) and len(card.seeds) == 4
    assert card.cause.endswith(".") and 3 <= card.cause.count(". ") + 1 <= 4
    assert len(card.title) <= 60 and not card.repair.endswith(".")


def test_its_state_is_what_it_offers_at_first(card):
    widget = Clinic(card.id)
    assert widget.options["name"] == widget.options["job"] == card.id.lower()
    assert dict(widget.state) == state_of(card, predict=False)
    assert json.loads(json.dumps(widget.options)) == widget.options  # for the page
    for key, control in widget.options["controls"].items():
        assert widget.state[key] in control["stops"]
        assert control["words"] is None or len(control["words"]) == len(control["stops"])
    widget.close()


def test_the_page_has_the_words_and_the_job_of_each_card(card):
    folder = FOLDER.parents[1] / "clinic"
    stem = card.name
    assert f"./{stem}_card.js" in (folder / "clinic.js").read_text("utf-8")
    assert f"./page_{stem}.js" in (folder / "page_clinic.js").read_text("utf-8")
    assert f"JOBS.{stem} =" in (folder / f"page_{stem}.js").read_text("utf-8")
    shown = site.firsts()
    assert len([make for make in shown if getattr(make, "args", None) == (card,)]) == 1


# ---- its trainings -------------------------------------------------------------------------------


@pytest.mark.parametrize("repaired", [False, True])
def test_points_are_those_of_the_plots_and_no_number_is_missing(card, repaired):
    curves = collected(card.trainings(state_of(card, repaired=repaired), "compiled"))
    assert set(curves) <= set(card.curves)
    for curve in curves.values():
        assert curve["done"] is True and {"step", "diverged_at"} <= set(curve)
        for which in card.plots:
            points = np.array(curve.get(which, []), dtype=float).reshape(-1, 2)
            assert np.isfinite(points).all()
            assert (np.diff(points[:, 0]) > 0).all()
            assert points.size == 0 or points[-1, 0] <= card.steps


def test_the_repair_adds_curves_and_leaves_the_symptom_as_it_was(card):
    plain, both = (
        collected(card.trainings(state_of(card, repaired=repaired), "compiled"))
        for repaired in (False, True)
    )
    assert set(plain) < set(both)
    assert {name: both[name] for name in plain if name in both} == {
        name: curve for name, curve in plain.items() if name in both
    }


# ---- what a kernel hears -------------------------------------------------------------------------


def test_a_kernel_trains_and_says_the_curves(card):
    widget = Spoken(card=card.id)
    widget.ask(7, repaired=True)
    assert widget.wait(120)
    finished = widget.of(7, "finished")
    assert len(finished) == 1 and not finished[0]["stopped"]
    assert {m["norm"] for m in widget.of(7, "points")} <= set(card.curves)
    widget.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"card": "T9"}, "unknown card 'T9'"),
        ({"card": "t1"}, "unknown card 't1'"),
        ({"card": "T1", "cause": "none"}, "cause must be one of slow, one_class, averaged"),
        ({"card": "T1", "seed": 1}, "seed must be one of 1241"),
        ({"card": "T1", "repaired": 1}, "repaired must be True or False"),
        ({"card": "T1", "batch_size": 2}, "exactly the keys cause, seed, repaired, predict"),
        ({"card": "T2", "batch_size": 3}, "batch_size must be one of 1, 2, 4, 8"),
    ],
)
def test_what_a_card_does_not_offer_is_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Clinic(**arguments)


def test_a_scene_may_name_a_part_of_the_state():
    scene = Scene("Repaired", "Does it help?", "It does.", {"repaired": True})
    widget = Clinic("T1", cause="averaged").with_scenes([scene])
    assert widget.options["scenes"][0]["state"] == {**widget.state, "repaired": True}
    widget.close()
