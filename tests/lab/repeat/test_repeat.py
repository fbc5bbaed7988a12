"""The widget in Python: what it offers and refuses, and what a kernel trains."""

import itertools

import pytest

from bnlab.lab import Repeat
from bnlab.lab.repeat.rows import SETS
from tests.lab.repeat.repeat_node import needs_node, node


@pytest.fixture(scope="module")
def widget():
    made = Repeat()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"start": None}, "exactly the keys"),
        ({"start": -1, "margins": {}}, "a whole number from 0"),
        ({"start": 2.5, "margins": {}}, "a whole number from 0"),
        ({"start": 1425, "margins": {}}, "1430, which chose the learning rates"),
        ({"start": None, "margins": {"speed": 1}}, "unknown part of this claim"),
        ({"start": 1433, "margins": {}}, "1440, which is one of the evidence"),
        ({"start": None, "margins": {"after_2": "1"}}, "must be a finite number"),
        ({"start": None, "margins": {"after_2": float("nan")}}, "must be a finite number"),
        ({"start": None, "margins": []}, "must be a dict"),
        ({"start": None, "margins": {}, "done": [[0, 16]]}, "must be places of rows"),
        ({"start": None, "margins": {}, "done": 3}, "must be places of rows"),
    ],
)
def test_a_state_that_is_not_offered_is_refused(widget, state, message):
    with pytest.raises(ValueError, match=message):
        widget.state = state


@pytest.mark.parametrize(
    ("part", "margin", "message"),
    [
        ("small", -0.01, "the margin of small must be 0 or more"),
        ("whole", -0.01, "the margin of whole must be 0 or more"),
        ("ghost", -2e6, "must be at most 1e"),
    ],
)
def test_a_margin_that_makes_no_sense_is_refused(part, margin, message):
    with pytest.raises(ValueError, match=message):
        Repeat("T4", margins={part: margin})


def test_an_error_of_rounding_may_have_a_margin_below_zero():
    Repeat("T4", margins={"ghost": -12.0}).close()


def test_a_claim_whose_parts_all_need_the_evidence_takes_its_seeds_alone():
    with pytest.raises(ValueError, match="no word follows from other seeds"):
        Repeat("L3", start=9000)


@needs_node
@pytest.mark.parametrize("name", SETS)
def test_a_link_brings_back_each_margin_and_the_seeds(name):
    """Whatever a part is called, such as ``start`` of T8."""
    widget = Repeat(name)
    parts = [one["name"] for one in widget.options["claim"]["effects"]]
    start = None if name == "L3" else 2**30
    states = [{"start": start, "margins": {part: 20 + n}} for n, part in enumerate(parts)]
    read = "parseRepeat(new URLSearchParams(writeRepeat(state)), given.options)"
    found = node(
        f"given.states.map((state) => {read})", {"states": states, "options": widget.options}
    )
    widget.close()
    assert found == [{"state": state, "problems": []} for state in states]


def test_other_claims_are_refused():
    with pytest.raises(ValueError, match=f"Known: {', '.join(SETS)}|Did you mean"):
        Repeat("S3")


@pytest.mark.parametrize("start", [None, 9000])
def test_a_kernel_trains_the_same_rows(widget, start):
    """Those of the evidence have its digests; fresh seeds have others."""
    options = widget.options
    told = itertools.islice(widget.begin({"start": start, "margins": {}}), 2 * 9)
    rows = [content for name, content in told if name == "row"]
    places = [(0, i) if i < 8 else (1, 0) for i in range(9)]
    assert [tuple(row["at"]) for row in rows] == [(arm, seed) for seed, arm in places]
    digests = [options["arms"][arm]["digests"][seed] for arm, seed in (row["at"] for row in rows)]
    same = [row["digest"] == digest for row, digest in zip(rows, digests, strict=True)]
    assert same == [start is None] * len(rows)
    for row in rows:
        assert set(row) == {
            *("at", "digest", "loss", "end", "val_accuracy", "test_accuracy", "diverged_at")
        }


def test_rows_that_are_done_are_not_trained_again(widget):
    """After Stop, Go on trains what is left."""
    arms, seeds = len(widget.options["arms"]), len(widget.options["seeds"])
    left = [[arms - 1, 2], [0, 3]]
    done = [[arm, i] for arm in range(arms) for i in range(seeds) if [arm, i] not in left]
    state = widget.check({"start": None, "margins": {}, "done": done}, widget.options)
    told = list(widget.begin(state))
    assert [content["at"] for name, content in told if name == "row"] == left
    assert len(told) == 2 * len(left)
