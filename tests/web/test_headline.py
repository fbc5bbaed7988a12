"""Who won, in one sentence: of any number of nets, tied or not, diverged or not."""

import itertools

import pytest

from bnlab.lab.kit.bundle import FOLDER, script, style_table

pytestmark = pytest.mark.web
NORMS = ("none", "batch", "layer", "group", "noisy_batch")
MOST = 14  # words; about twelve where two nets race

TELL = (
    script([FOLDER / "headline.js"])
    + """
const net = ([norm, end]) => [norm, {
  divergedAt: end === "x" ? 7 : null, accuracy: end === "x" ? [[0, 0.1]] : [[0, 0.1], [300, end]],
}];
return headlineText({ curves: new Map(ends.map(net)) });"""
)


def headline(page, **ends) -> str:
    """Of nets with these final accuracies; "x" is a net that diverged."""
    return page.evaluate(f"(ends) => {{ {TELL} }}", [list(one) for one in ends.items()])


@pytest.mark.parametrize(
    ("ends", "sentence"),
    [
        ({"none": 0.64, "batch": 0.98}, "Batch norm wins: 0.98 against 0.64 without a normalizer."),
        (
            {"none": 0.9, "batch": 0.7},
            "The net without a normalizer wins: 0.90 against 0.70 with batch norm.",
        ),
        ({"none": 0.972, "batch": 0.968}, "No winner: both end at 0.97."),
        ({"none": 0.974, "batch": 0.965}, "No winner: both end at 0.96 to 0.97."),
        (
            {"none": "x", "batch": 0.97},
            "Batch norm wins: 0.97, the net without a normalizer diverged.",
        ),
        ({"none": "x", "batch": "x"}, "No winner: every net diverged."),
        ({"none": 0.1, "batch": 0.12}, "No net learned anything."),
        (
            {"none": "x", "batch": 0.12},
            "No net learned anything; the net without a normalizer diverged.",
        ),
        (
            {"none": 0.64, "batch": 0.98, "layer": 0.2},
            "Batch norm wins: 0.98 against 0.64 without a normalizer and 0.20 with layer norm.",
        ),
        (
            {"none": "x", "batch": 0.97, "noisy_batch": 0.97},
            "No winner: batch norm and noisy batch norm end at 0.97; "
            "the net without a normalizer diverged.",
        ),
        ({"none": 0.97, "batch": 0.97, "layer": 0.97}, "No winner: all end at 0.97."),
        (
            {"none": 0.5, "batch": 0.97, "layer": 0.8, "group": 0.7},
            "Batch norm wins: 0.97 against 0.50 to 0.80 of the others.",
        ),
    ],
)
def test_the_sentence(page, ends, sentence):
    assert headline(page, **ends) == sentence


def test_any_outcome_has_an_honest_short_sentence(page):
    """The number of the best is there; who is ahead by more than a hundredth is said to win."""
    table, values = style_table(), ("x", 0.1, 0.11, 0.5, 0.962, 0.969, 0.98)
    for ends in itertools.product(values, repeat=3):
        told = headline(page, **dict(zip(NORMS, ends, strict=False)))
        learned = sorted((end for end in ends if end != "x"), reverse=True)
        assert told.endswith(".") and told[0].isupper() and "NaN" not in told, (ends, told)
        assert ("diverged" in told) == ("x" in ends), (ends, told)
        if not learned or learned[0] < 0.2:
            assert "wins" not in told
            continue
        assert f"{learned[0]:.2f}" in told
        second = learned[1] if len(learned) > 1 else 0
        ahead = round(100 * round(learned[0], 2)) - round(100 * round(second, 2))
        assert ("wins" in told) == (ahead > 1), (ends, told)
        winner = NORMS[ends.index(learned[0])]
        if ahead > 1 and winner != "none":
            assert told.lower().startswith(table[winner]["label"].lower())
        assert len(told.split()) <= MOST + 6
