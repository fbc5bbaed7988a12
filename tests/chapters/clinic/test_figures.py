"""Figures of chapter 14 whose titles come from a verdict."""

import pytest

from bnlab import claims, show


def few(name):
    """The stored evidence of a claim, with its first seed alone."""
    stored = claims.load(name)
    data, first = stored.data, stored.data["seeds"][0]
    at = data["columns"].index("seed")
    kept = {first, *data.get("tuning_seeds", ())}
    rows = [row for row in data["rows"] if row[at] in kept]
    return claims.Evidence(stored.claim, {**data, "seeds": [first], "rows": rows}, stored.meta)


@pytest.mark.parametrize("name", ["T5", "T6"])
def test_a_notebook_draws_one_seed_without_words_of_a_verdict(name):
    words = [one.word for one in claims.load(name).verdict.judgements]
    assert words[0] in "".join(show.plot(claims.load(name)).svgs)
    title = {"T5": "own best rate", "T6": "At the best rates"}[name]
    drawn = "".join(show.plot(few(name)).svgs)
    assert title in drawn and f"{title}: " not in drawn
