"""The figure and the paragraph in which both scales meet."""

import re
from xml.etree import ElementTree

import pytest

from bnlab import show
from bnlab.claims import CLAIMS
from bnlab.claims.agreement import at_both, pairs
from bnlab.claims.standings import standings
from bnlab.draw.figure import INK
from bnlab.draw.style import variables


@pytest.fixture
def some(second_scale):
    """B2 differs in a part and in its verdict, S1 agrees, S4 is not measured there."""
    second_scale("B2", {"explode": 20.0})
    second_scale("S1", {})
    second_scale("S4")


def texts(svg):
    return [e.text for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("}text")]


def test_without_evidence_on_photographs_it_says_so(second_scale):
    assert str(show.say_scales()) == (
        "No claim is measured on CIFAR-10 yet, so there is nothing to compare."
    )
    assert "nothing to draw" in show.scales()._repr_mimebundle_()["text/html"]


def test_parts_are_matched_by_claim_and_name(some, second_scale):
    table = standings(CLAIMS)
    assert [one.claim.id for one in at_both(table)] == ["S1", "B2"]
    found = pairs(table)
    wanted = [(name, e.name) for name in ("S1", "B2") for e in CLAIMS[name].effects]
    assert [(pair.claim, pair.digits.effect.name) for pair in found] == wanted
    assert [(pair.claim, pair.cifar10.effect.name) for pair in found if not pair.agrees] == [
        ("B2", "explode")
    ]
    second_scale("B2", {}, effects=CLAIMS["B2"].effects[:1])
    assert len(pairs(standings(CLAIMS))) == len(CLAIMS["S1"].effects) + 1


def test_the_paragraph_counts_claims_and_parts_and_names_those_that_differ(some, second_scale):
    text = " ".join(str(show.say_scales()).split())
    count = sum(len(CLAIMS[name].effects) for name in ("S1", "B2"))
    assert text.startswith("Claims with a verdict on both scales: 2. The same word on both have S1")
    assert "another one for B2 (shown on digits, not shown on CIFAR-10)." in text
    assert f"Of {count} parts that are measured on both, 1 came out differently." in text
    assert "Of these, 0 are undecided" in text
    assert "B2, in the step that diverges" in text
    assert text.endswith("✓ holds on digits, ○ no effect on CIFAR-10.")
    second_scale("B2", {})
    assert f"All {count} parts that are measured on both came out the same." in " ".join(
        str(show.say_scales()).split()
    )


def test_the_figure_says_which_parts_differ(some):
    drawing, count = show.scales(), sum(len(CLAIMS[name].effects) for name in ("S1", "B2"))
    (svg,) = drawing.svgs
    assert f"Scatter plot of {count} parts of 2 claims" in drawing.alt
    assert f"{count - 1} came out with the same word" in drawing.alt
    assert "on CIFAR-10: B2, in the step that diverges" in drawing.alt
    assert drawing.alt.endswith(" (holds, then no effect).")
    written = texts(svg)
    assert "B2" in written and f"{count - 1} of {count} parts agree" in written
    assert not re.search(r"\bnan\b|\binf\b", drawing.alt + drawing.caption + svg)
    assert show.scales().svgs == drawing.svgs


def test_the_figure_follows_the_theme(some):
    (svg,) = show.scales().svgs
    assert "currentColor" in svg and INK not in svg and "var(--bnlab-verdict-depends" in svg
    for name, look in variables().items():
        assert not re.search(rf"(?<!, ){look['light']}", svg), name
    assert not re.search("#000000", svg)
