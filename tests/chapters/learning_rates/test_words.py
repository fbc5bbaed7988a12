"""What chapter 03 says in words still follows from the evidence."""

from bnlab import claims


def test_what_chapter_03_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    b1, b2 = claims.load("B1"), claims.load("B2")
    assert b1.verdict.word == b2.verdict.word == "shown"
    facts = b1.facts
    assert facts["behind_12"] > 2 and facts["behind_6"] > 2  # "BatchNorm is behind"
    torch = claims.load("B1", engine="torch")
    assert torch.facts["none_lr_12"] != facts["none_lr_12"]  # "is partly luck"
    assert abs(facts["behind_long"]) < 2  # "trained to the end about as good"
    assert min(f["top_12"] for f in (facts, torch.facts)) > 0  # "trust the direction"
    assert torch.facts["own_12"] > 2 * facts["own_12"]  # "more than the size"
    assert facts["ratio_12"] > facts["ratio_6"] > 1  # "the more so the deeper the net"
    assert b2.facts["ratio"] > 1000  # "in the thousands"
    b10 = claims.load("B10")
    assert b10.verdict.word == "undecided"  # "The seeds do not decide it"
    facts = b10.facts
    assert facts["bare_failed"] == 1 and facts["lead"] > 3 * facts["lead_median"]  # "mostly that"
    assert facts["held_median_lead"] > 0.5 * facts["lead_median"]  # "keep most of the lead"
    assert facts["given_median"] >= facts["batch_median"]  # "nothing is left of the lead"
    gain = {name: facts[f"{name}_median"] - facts["bare_median"] for name in ("control", "given")}
    assert gain["control"] > gain["given"] / 2  # "most of that at the old rate too"
    assert facts["starts_ratio"] <= 1.05  # "No scaled start and no warm-up"
    assert b2.facts["never_learned"] == 0  # "not to diverge is not yet to learn"
    assert b2.facts["none_first_loss"] > 20  # "far too high"
    assert 0.5 < b2.facts["scaled_decades"] < b2.facts["decades"]  # "two things at once"
    b7, b9 = claims.load("B7"), claims.load("B9")
    words = {one.effect.name: one.word for one in b7.verdict.judgements}
    assert words["flat_batch"] == words["flat_none"] == "holds"  # "is in a flatter place"
    assert words["noise"] == "undecided"  # "the seeds do not decide it"
    assert b7.facts["batch_by_rate"] < 1.25 < 1.5 < b7.facts["batch_by_batch"]  # "the noise"
    assert words["steps_batch"] == words["steps_none"] == "holds"  # "level within two points"
    assert 0.75 < b7.facts["none_ratio_edge"] < 1.25  # "the nets sit there"
    assert b7.facts["none_large_edge"] < 0.75
    assert b7.facts["batch_slope"] < -1.1  # "falls faster"
    parts = {one.effect.name: one.word for one in b9.verdict.judgements}
    assert parts["own"] == "holds" and parts["common"] == "opposite"  # "not at BatchNorm's"
    assert parts["two_thirds"] == "undecided" and b9.facts["two_thirds"] > 0  # "or more"
    assert b9.facts["head_own_median"] > 95  # "near the ceiling"
    assert b9.facts["seeds"] == b9.facts["none_lost"]
