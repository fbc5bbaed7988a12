"""What chapters 10 to 12 say in one bold line: honest, in words, and short enough."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import Page

from bnlab.lab.bits.bits import LOOKS as BITS_LOOKS
from bnlab.lab.kit.bundle import PACKAGE, script
from bnlab.lab.lawn.lawn import LOOKS as LAWN_LOOKS

pytestmark = pytest.mark.web
LAB = PACKAGE / "lab"
MOST = 72  # letters of a line on a slide, and on the page

# Nets with these final accuracies; "x" is a net that diverged.
OUTCOME = """
const net = ([name, end]) => [name, {
  divergedAt: end === "x" ? 7 : null, accuracy: [[0, 0.1], ...(end === "x" ? [] : [[300, end]])],
}];
const outcomeOf = ([phase, ends]) => ({
  phase, state: { norms: Object.keys(ends), free: 0.05 },
  curves: new Map(Object.entries(ends).map(net)),
});
"""


def said(page: Page, module: str, looks: dict, call: str, cases: list) -> list[str]:
    """What a function of a module says of each case, (phase, {net: accuracy})."""
    code = f"{script([LAB / module])}\nObject.assign(STYLE, given.looks);{OUTCOME}"
    tell = f"return given.cases.map((one) => {{ const outcome = outcomeOf(one); return {call}; }});"
    lines = page.evaluate(f"(given) => {{ {code}{tell} }}", {"looks": looks, "cases": cases})
    for line in lines:
        assert len(line) <= MOST and not {"undefined", "NaN"} & set(line.split()), line
    return lines


def of_bits(page: Page, cases: list) -> list[str]:
    call = 'outcome.phase === "finished" ? bitsHeadline(outcome) : aheadOfBits(outcome)'
    return said(page, "bits/bits_words.js", BITS_LOOKS, call, cases)


def of_lawn(page: Page, cases: list) -> list[str]:
    call = 'aheadText(outcome, outcome.phase === "finished")'
    return said(page, "lawn/lawn_words.js", LAWN_LOOKS, call, cases)


BITS = [
    ({"batch": 0.9, "signs": 0.4}, "BatchNorm wins: 0.90 against 0.40 with signs alone."),
    ({"signs": 0.9, "batch": "x"}, "Signs alone wins: 0.90; BatchNorm diverged."),
    ({"batch": 0.9}, "BatchNorm wins: 0.90."),
    ({"batch": 0.9, "none": 0.885}, "No winner: all nets 0.89 to 0.90."),
    (
        {"batch": 0.82, "signs": 0.48, "none": 0.89, "bn_free": 0.88},
        "No winner: scale and BN-free 0.88 to 0.89, the others 0.48 to 0.82.",
    ),
    (
        {"batch": 0.9, "signs": 0.5, "none": 0.6, "bn_free": 0.7},
        "BatchNorm wins: 0.90, the others 0.50 to 0.70.",
    ),
    (
        {"batch": 0.9, "signs": 0.2, "none": 0.9, "standardized": 0.9, "bn_free": 0.9},
        "No winner: 4 nets 0.90, signs alone 0.20.",
    ),
    (
        {"batch": 0.11, "signs": 0.1, "none": "x"},
        "No net learned anything: 0.10 to 0.11; scale diverged.",
    ),
    ({"batch": "x", "signs": "x"}, "No winner: every net diverged."),
]
LAWN = [
    ("finished", 0.73, 0.79, "LAWN-Adam wins: 0.79 against 0.73 with Adam."),
    ("finished", 0.9, 0.8, "Adam wins: 0.90 against 0.80 with LAWN-Adam."),
    ("finished", 0.96, 0.97, "No winner: 0.97 with LAWN-Adam, 0.96 with Adam."),
    ("finished", "x", 0.97, "LAWN-Adam wins: Adam diverged at step 7."),
    ("finished", "x", "x", "No winner: Adam diverged at step 7, LAWN-Adam at step 7."),
    (
        *("finished", "x", 0.1),
        "No winner: Adam diverged at step 7, and LAWN-Adam has learned nothing.",
    ),
    ("training", 0.73, 0.79, "LAWN-Adam is ahead: 0.79 against 0.73 with Adam."),
    ("training", 0.73, 0.73, "They are level: 0.73 with LAWN-Adam, 0.73 with Adam."),
    (
        *("training", 0.1, 0.11),
        "Nobody leads: LAWN-Adam (0.11) and Adam (0.10) have learned nothing.",
    ),
]
PICKS = [
    ([0.613, 0.5, 0.6], "beats the average net of its size: 61.3\u00a0% against 55.0\u00a0%."),
    ([0.5, 0.6, 0.7], "loses to the average net of its size: 50.0\u00a0% against 65.0\u00a0%."),
    (
        [0.5, 0.505, 0.505],
        "is level with the average net of its size: 50.0\u00a0% against 50.5\u00a0%.",
    ),
    ([0.5, 0.4], "beats a net of about its size: 50.0\u00a0% against 40.0\u00a0%."),
    ([0.5], "gets 50.0\u00a0% right."),
]


def test_binary_nets(page):
    cases = [("finished", ends) for ends, _ in BITS]
    assert of_bits(page, cases) == [line for _, line in BITS]
    now = [("training", {"batch": 0.5, "signs": 0.4}), ("training", {"batch": 0.1})]
    assert of_bits(page, now) == [
        "BatchNorm is ahead so far: 0.50.",
        "No net has learned anything yet.",
    ]


def test_all_outcomes_of_five_binary_nets_fit_in_a_line_and_have_one_winner_at_most(page):
    every = list(itertools.product((0.1, 0.4, 0.895, 0.9, "x"), repeat=5))
    lines = of_bits(
        page, [("finished", dict(zip(BITS_LOOKS, ends, strict=True))) for ends in every]
    )
    for ends, line in zip(every, lines, strict=True):
        top = [end for end in ends if end != "x" and end > 0.88]
        best = max((end for end in ends if end != "x"), default=0)
        wins = len(top) == 1 or (best == 0.4 and ends.count(0.4) == 1)
        assert ("wins" in line) == wins, (ends, line)
        assert ("learned" in line) == (best == 0.1) and ("diverged" in line) == ("x" in ends)


def test_adam_with_and_without_lawn(page):
    cases = [(phase, {"adam": adam, "lawn": held}) for phase, adam, held, _ in LAWN]
    assert of_lawn(page, cases) == [line for *_, line in LAWN]


def test_the_pick_of_a_supernet(page):
    code = f"""{script([LAB / "choices" / "choices_words.js"])}
const tell = (accuracy) => foundHeadline({{ accuracy }}, {{ found: 0 }}, [...accuracy.keys()]);
return all.map(tell);"""
    lines = page.evaluate(f"(all) => {{ {code} }}", [accuracy for accuracy, _ in PICKS])
    assert lines == [f"γ’s pick {line}" for _, line in PICKS]
