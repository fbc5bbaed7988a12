"""The line of verdicts on a chapter's first screen."""

import re

import pytest

from bnlab import claims, show


def test_chips_name_each_claim_with_its_verdict_and_colour():
    shown = show.chips("B1", "S3")
    for name in ("B1", "S3"):
        verdict = claims.load(name).verdict
        assert f"<b>{name}</b>" in shown.page and verdict.said in shown.page
        assert f'class="bnlab-box {verdict.word.replace(" ", "-")}"' in shown.page
        assert f"{name} " in str(shown) and verdict.said in str(shown)


def test_a_claim_without_evidence_says_so(monkeypatch):
    def nothing(name, **_):
        raise FileNotFoundError(name)

    monkeypatch.setattr(claims, "load", nothing)
    assert "not measured yet" in str(show.chips("B1"))


def label(name):
    return re.search(f'aria-label="({name}: [^"]*)"', show.chips(name).page).group(1)


def test_a_chip_names_both_scales_for_who_cannot_see_it(second_scale):
    second_scale("B2", {"explode": 20.0})
    assert label("B2") == "B2: shown on digits; not shown on CIFAR-10"
    assert label("S4").endswith("; not measured yet on CIFAR-10")


def test_a_chip_has_the_word_on_photographs_where_it_is_another_one(second_scale):
    assert "CIFAR" not in str(show.chips("B2"))
    second_scale("B2", {"explode": 20.0})
    shown = show.chips("B2")
    assert str(shown) == "B2 ✓ shown · CIFAR-10: ○ not shown"
    assert 'class="bnlab-box shown"' in shown.page and 'class="bnlab-box not-shown"' in shown.page


def test_a_chip_says_shortly_that_both_scales_agree(second_scale):
    second_scale("B2", {})
    assert str(show.chips("B2")) == "B2 ✓ shown · CIFAR-10 too"


def test_an_unknown_claim_is_named():
    with pytest.raises(ValueError, match="X9"):
        show.chips("X9")
