"""The line of verdicts on a chapter's first screen."""

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
    def nothing(name, engine=None):
        raise FileNotFoundError(name)

    monkeypatch.setattr(claims, "load", nothing)
    assert "not measured yet" in str(show.chips("B1"))


def test_an_unknown_claim_is_named():
    with pytest.raises(ValueError, match="X9"):
        show.chips("X9")
