"""Rows of the clinic that tell more than a race: in the page, with a kernel, in the evidence."""

import itertools

import pytest

from bnlab.lab import Repeat
from bnlab.lab.repeat.rows import claim_of, trainings_of
from bnlab.verdicts import evidence
from bnlab.verdicts.again import ROUNDING
from tests.lab.repeat.repeat_node import needs_node
from tests.lab.repeat.test_rows import (
    from_page,
    images_of_the_page,
    in_node,
    options_of,
    state_of,
)

KINDS = {
    "T1": "modes",
    "T2": "repaired",
    "T3": "tuned",
    "T4": "gradients",
    "T5": "length",
    "T7": "shifts",
    "T8": "influence",
}
NEAR = {"length": {"rel": 2e-5}, "gamma": {"rel": 2e-5}, "shifts": {"abs": 2e-4}}
"""PyTorch takes these from weights in float32, the page in doubles, and both round the outcome."""
SEEDS = (0, 9)


def rows_of(name):
    return {(one.arm, one.seed): one for one in trainings_of(evidence.load(claim_of(name)))}


def numbers_of(training):
    return dict(zip(training.kind.columns[-len(training.row) :], training.row, strict=True))


@needs_node
@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_the_page_tells_of_a_row_what_the_evidence_does(name, kind, tmp_path):
    options, rows = options_of(name), rows_of(name)
    test = images_of_the_page(options["compiled"])
    arms = [arm for arm in options["arms"] if arm.get("kind") == kind]
    places = [(arm, i) for arm in arms for i in SEEDS]
    states = [state_of(arm, options["seeds"][i], test) for arm, i in places]
    told = from_page(tmp_path, options["compiled"], states)
    for (arm, i), one in zip(places, told, strict=True):
        training = rows[arm["name"], options["seeds"][i]]
        assert one.pop("digest") == arm["digests"][i], (arm["name"], i)
        assert set(one) == set(training.kind.columns)
        for column, value in numbers_of(training).items():
            assert is_the_same(one[column], value, column), (arm["name"], i, column)


def is_the_same(mine, value, column):
    """Errors of rounding may be others."""
    if isinstance(value, float) and value < ROUNDING:
        return mine < ROUNDING
    return mine == (pytest.approx(value, **NEAR[column]) if column in NEAR else value)


@pytest.mark.parametrize("name", KINDS)
def test_a_kernel_tells_the_same(name):
    made = Repeat(name)
    arms, rows = made.options["arms"], rows_of(name)
    told = itertools.islice(made.begin({"start": None, "margins": {}}), 2 * len(arms))
    found = [content for said, content in told if said == "row"]
    made.close()
    of_kind = [(row, arms[row["at"][0]]) for row in found if "kind" in arms[row["at"][0]]]
    assert of_kind
    for row, arm in of_kind:
        training = rows[arm["name"], made.options["seeds"][0]]
        assert row["at"][1] == 0 and row["digest"] == arm["digests"][0]
        assert set(row) == {"at", "digest", *training.kind.columns}
        for column, value in numbers_of(training).items():
            assert row[column] == value or max(row[column], value) < ROUNDING, column


@pytest.mark.parametrize("name", KINDS)
def test_all_parts_are_made_of_trained_rows(name):
    options = options_of(name)
    assert list(options["formulas"]) == [one["name"] for one in options["claim"]["effects"]]


def test_trainings_at_the_best_rate_are_not_done_twice():
    """T5 and T7 look at trainings at one rate, which is the best one of some arms."""
    for name in ("T5", "T7"):
        runs = [one.run for one in rows_of(name).values()]
        assert len({repr(run.to_dict()) for run in runs}) == len(runs)


AGREEMENT = """(({ claim, formulas, values }) => {
  const told = (rounding, others) => {
    const moved = ([name, some]) =>
      [name, some.map((one) => one + (name === "alone" ? rounding : others))];
    const found = Object.fromEntries(Object.entries(values).map(moved));
    return m.agreementText({ claim, formulas, values }, null, found);
  };
  return [told(0, 0), told(1, 0), told(0, 0.002)];
})(o)"""


def test_numbers_that_are_not_those_of_the_evidence_are_spoken_of():
    same, rounding, others = in_node("repeat_agreement.js", AGREEMENT, options_of("T8"), {})
    assert same == ""
    assert rounding.startswith("The parts that hold by algebra measure errors of rounding")
    assert others.endswith("differs from the evidence by up to 0.002, in the units of the margins.")


def test_what_the_page_keeps_of_the_evidence_is_said():
    """T8 without the formula of a part."""
    options = options_of("T8")
    options["formulas"] = {**options["formulas"]}
    del options["formulas"]["alone"]
    kept, fresh = in_node(
        "repeat_agreement.js",
        "(() => [null, 9].map((start) => m.agreementText(o, start, o.values)))()",
        options,
        {},
    )
    assert kept.endswith("keep the numbers of the evidence.")
    assert fresh.startswith("Parts that need more than these trainings have no numbers")
