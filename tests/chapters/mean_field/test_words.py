"""What chapter 06 says in words still follows from the evidence."""

from bnlab import claims


def test_what_chapter_06_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    found = {name: claims.load(name) for name in ("W1", "W2", "W3", "W4")}
    words = [one.verdict.word for one in found.values()]
    assert words == ["shown in part", "shown in part", "shown", "undecided"]
    w1, w2, w3, w4 = (one.facts for one in found.values())
    assert w1["four_through"] > 1  # "and still ... times smaller at γ = 4"
    assert w1["one_through"] > 2 * w1["one_held"]  # "several times more"
    assert abs(w1["through_gaussian_batch_3"] / w1["last_term"] - 1) < 0.15
    assert w1["through_gaussian_batch_9"] > 2 * w1["last_term"]  # "and not the deep one"
    assert w1["paper_gaussian_batch_9"] > 3 > 1.6 > w1["corrected_gaussian_batch_9"]
    assert w2["held_high"] > 3 > w2["paper_high"]  # "too far above", "within a factor of three"
    assert w2["paper_batch_3_0_1"] < 1 / 3 < w2["paper_batch_3_0_25"]  # "all but the smallest γ"
    assert 50 < w2["span"] < 200  # "two decades and not three"
    assert 500 < w2["paper_span"] < 2000  # "spans three decades"
    assert w2["through_low"] > 0.5 and w2["through_high"] < 2  # "within a factor of two"
    assert w1["paper_digits_batch_3"] > 1  # "smaller than the held eigenvalue"
    for depth in (1, 3, 9):
        assert w2[f"through_none_{depth}"] > 2.8  # "about three times η* or more"
    assert w2["through_batch_9_1"] > 2.8
    assert 30 < w3["share_0_25"] < 70 and 30 < w3["share_3"] < 70  # "about half of it"
    best = [w4[f"best_{gamma}"] for gamma in ("0_1", "0_25", "0_5", "1", "2")]
    assert best == sorted(best)  # "it grows from ... to"
    assert w4["best_2"] > 0.85 > w4["best_3"] and 0.4 < w4["mean"] < 0.65  # "nearly all", "half"
    sharp = [w1[f"{net}_through"] for net in ("hidden_batch", "last_none", "hidden_none")]
    assert sharp == sorted(sharp)  # "both help, and the hidden layers more"
    assert w1["last_none_held"] > w1["hidden_none_held"]  # "all of the gain comes through"
