"""What chapter 14 lets its reader try does what the text says, at that link and seed."""

import html
import re
from urllib.parse import parse_qsl

import pytest

from bnlab.lab import Clinic
from bnlab.lab.clinic.clinic import CARDS
from tests.chapters.clinic.page_of_the_clinic import cells

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")

LINK = re.compile(r'<a href="#(t\d)\?([^"]+)">')


def number(text):
    try:
        return float(text)
    except ValueError:
        return text


def linked(name):
    """The states of the links of the page to a card, in their order."""
    text = "\n".join(cell["text"] for cell in cells() if cell["cell_type"] == "markdown")
    found = [html.unescape(query) for card, query in LINK.findall(text) if card == name]
    states = [{key: number(value) for key, value in parse_qsl(query)} for query in found]
    for state in states:
        state |= {key: bool(state[key]) for key in ("repaired", "predict")}
    widget = Clinic(name.upper())
    return [widget.check(state, widget.options) for state in states]


def curves(name, state, **changed):
    """The accuracies of each curve, by step, as the page computes them."""
    found = {}
    for curve, new in CARDS[name.upper()].trainings({**state, **changed}, "compiled"):
        found.setdefault(curve, {}).update(new["accuracy"] if new else ())
    return found


def end(curve):
    return curve[max(curve)]


def test_evaluation_mode_falls_in_the_last_batches_and_the_button_brings_it_back():
    (state,) = linked("t1")
    found = curves("t1", state, repaired=True)
    assert abs(found["eval"][200] - found["train"][200]) < 0.03
    assert end(found["eval"]) < found["eval"][200] - 0.1
    assert end(found["train"]) == found["train"][200]  # "nothing learns"
    assert abs(end(found["repaired"]) - end(found["train"])) < 0.02


def test_four_images_cost_points_eight_none_and_one_is_refused():
    four, eight, one = linked("t2")
    ends = [
        {name: end(curve) for name, curve in curves("t2", state, repaired=True).items() if curve}
        for state in (four, eight, one)
    ]
    assert 0.03 < ends[0]["layer"] - ends[0]["batch"] < 0.15
    assert ends[1]["batch"] > ends[1]["layer"] - 0.01
    assert "batch" not in ends[2] and ends[2]["layer"] > 0.9


def test_who_wins_depends_on_the_rate_and_each_at_its_own_learns():
    slow, usual, large = linked("t6")
    ends = [
        {name: end(curve) for name, curve in curves("t6", state, repaired=True).items()}
        for state in (slow, usual, large)
    ]
    assert ends[0]["after"] > ends[0]["before"] and ends[1]["after"] < ends[1]["before"]
    assert ends[2]["after"] < 0.15 < 0.8 < ends[2]["before"]
    assert min(ends[2]["after_own"], ends[2]["before_own"]) > 0.95
