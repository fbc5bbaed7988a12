"""What chapter 03 says in words still follows from the evidence."""

from bnlab import claims


def test_what_chapter_03_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    b1, b2 = claims.load("B1"), claims.load("B2")
    assert b1.verdict.word == b2.verdict.word == "shown"
    facts = b1.facts
    assert facts["behind_12"] > 2  # "At the small rate BatchNorm is slower"
    assert f"{facts['batch_long']:.0f}" == f"{facts['none_long']:.0f}"  # "both have"
    assert facts["batch_long_loss"] > facts["none_long_loss"]
    assert facts["own_word_6"] == "no effect"  # "too little to count"
    torch = claims.load("B1", engine="torch")
    assert (
        torch.facts["none_lr_12"] != facts["none_lr_12"]
    )  # "the choice among them is partly luck"
    assert abs(facts["behind_long"]) < 2  # "at one small rate, it is no better"
    assert min(f["top_12"] for f in (facts, torch.facts)) > 0  # "trust the lead's direction"
    assert torch.facts["own_12"] > 2 * facts["own_12"]  # "more than its size"
    assert facts["ratio_12"] > facts["ratio_6"] > 1  # "more at depth 12 than at depth 6"
    change = b2.facts["batch_growth_after"] / b2.facts["batch_growth_before"]
    assert change < 2 and b2.facts["control_median"] < 2  # "the step hardly changes this ratio"
    b10 = claims.load("B10")
    assert b10.verdict.word == "undecided"  # "Our trainings do not decide it"
    facts = b10.facts
    assert facts["bare_failed"] == 1 and facts["lead"] > 3 * facts["lead_median"]  # "the mean lead"
    assert facts["held_median_lead"] > 0.5 * facts["lead_median"]  # "most of the lead stays"
    assert facts["given_median"] >= facts["batch_median"]  # "nothing is left of the lead"
    gain = {name: facts[f"{name}_median"] - facts["bare_median"] for name in ("control", "given")}
    assert gain["control"] > gain["given"] / 2  # "more than half of the gain"
    assert facts["given"] == "clip 1" and facts["control"] == "clip 8"  # "weaker clipping"
    assert facts["starts_ratio"] <= 1.05  # of the figure: "starts, warm-ups: no larger"
    assert facts["batch_lr"] / facts["bare_lr"] < 3.3  # "the two best rates lie close together"
    assert b2.facts["never_learned"] == 0  # "none of them had learned at 10"
    assert b2.facts["none_first_loss"] > 20  # "the trouble is there before any step"
    assert 0.5 < b2.facts["scaled_decades"] < b2.facts["decades"]  # "repairs a bad start"
    assert b2.facts["usable_ratio"] > 3  # "larger steps even from a good one"
    b7, b9 = claims.load("B7"), claims.load("B9")
    words = {one.effect.name: one.word for one in b7.verdict.judgements}
    assert words["flat_batch"] == words["flat_none"] == "holds"  # "led to places ... as flat"
    assert words["noise"] == "undecided"  # "the seeds do not decide it"
    assert (
        b7.facts["batch_by_rate"] < 1.25 < 1.5 < b7.facts["batch_by_batch"]
    )  # "noise is a likely reason"
    alike = {words[name] for name in ("steps_batch", "steps_none", "images_batch")}
    assert alike == {"holds"}  # title of panel c of B7: "level with BatchNorm"
    parts = {one.effect.name: one.word for one in b9.verdict.judgements}
    assert parts["own"] == "holds" and parts["common"] == "opposite"  # "it has only"
    photographs = claims.load("B1", scale="cifar10")
    parts = {one.effect.name: one for one in photographs.verdict.judgements}
    assert parts["small"].mean > 0.02  # "on photographs, in a shorter training, it is"
    longest = photographs.facts["long_end_batch"], photographs.facts["long_end_none"]
    assert min(longest) > 1  # "neither is at its end"
