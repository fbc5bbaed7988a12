"""The cards of the first page: their numbers are the evidence's, and so are their words."""

from pathlib import Path

from bnlab import claims, show
from bnlab.show.findings import FINDINGS

BOOK = Path(__file__).parents[2] / "book"


def words(name):
    """What became of each part of a claim."""
    return {one.effect.name: one.word for one in claims.load(name).verdict.judgements}


def test_three_cards_lead_to_chapters_and_show_numbers_of_the_evidence():
    found = show.findings()
    assert len(FINDINGS) == found.page.count("<a href=") == 3
    for page, _, _ in FINDINGS:
        assert (BOOK / f"{page}.ipynb").is_file() and f'href="{page}.html"' in found.page
    assert f"{claims.load('B1').facts['ratio_12']:.0f} times" in str(found)


def test_what_they_say_in_words_follows_from_the_evidence():
    b1 = words("B1")
    assert b1["rate"] == "holds" and b1["small"] == "holds"  # "end within two points of each other"
    assert abs(claims.load("B1").facts["behind_long"]) < 2
    assert words("S1")["step"] == "does not hold"  # "as far in a step without it"
    facts = claims.load("R3").facts
    assert facts["test_running_group_2"] > facts["test_running_batch_2"] + 50
