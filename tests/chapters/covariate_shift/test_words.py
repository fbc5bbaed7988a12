"""What chapter 04 says in words still follows from the evidence."""

from bnlab import claims


def test_what_chapter_04_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    s1, s2, s3 = (claims.load(name) for name in ("S1", "S2", "S3"))
    words = {j.effect.name: j.word for s in (s1, s2, s3) for j in s.verdict.judgements}
    f1, f2, f3 = (one.facts for one in (s1, s2, s3))
    assert words["loss"] == words["rate"] == "holds"  # "So the success is there"
    assert f1["ends_lower_6"] > 8  # "At the end the order turns"
    moves = ("step", "step_before", "whole", "whole_before")
    assert {words[name] for name in moves} == {"does not hold"}  # "against the paper"
    assert all(f1[f"calmer_{name}_15"] > 2 for name in moves)
    own = f1["own_calmer_whole_before_6"]  # "keeps only a part of this"
    assert own < f1["calmer_whole_before_6"] and own < 3
    # "at its own best rate the noisy net still learns faster"
    assert words["ahead_6"] == words["ahead_15"] == words["near_6"] == words["near_15"] == "holds"
    for depth in (6, 15):
        assert 25 < f2[f"taken_{depth}"] < 60  # "a large part of the lead"
        # "At the end nothing of the lead is left"
        assert f2[f"noisy_batch_test_{depth}_own"] < f2[f"none_test_{depth}_own"]
        assert words[f"accuracy_{depth}"] != "holds"
    near = [value for key, value in f2.items() if key.startswith("near_")]
    assert min(near) > 1  # "cost something, at every rate that we tried"
    assert f2["ahead_6_0_1"] < 1 > f2["ahead_6_0_03"] and f2["ahead_6_0_3"] > 2
    assert f2["ends_lower_6_0_3"] > 8 and words["stops"] == "does not hold"
    assert words["moves"] == "holds" and f2["whole_ratio"] < 0.6  # "does not carry them away"
    assert f2["step_noisy_batch"] > 3 * f2["step_batch"]
    depths = s3.data["depths"]
    shifts = [words[f"shift_{depth}"] for depth in depths]
    assert s3.verdict.said == "depends on depth" and shifts[0] == "does not hold"
    assert shifts[-1] == "holds"  # "less in shallow nets, more in deep ones"
    fall = {
        key: f3[f"{key}_4{end}"] / f3[f"{key}_20{end}"]
        for key, end in {"ratio": "", "equal": "_0_1"}.items()
    }
    assert fall["ratio"] > 5 and fall["equal"] < 2  # "most of the dependence on depth is gone"
    assert all(f3[f"equal_{d}_0_1"] < 0.9 for d in (10, 15, 20))  # "more in deep ones"
    lengths = {d: f3[f"length_none_{d}"] / f3[f"length_batch_{d}"] for d in (4, 6, 15, 20)}
    assert min(lengths[4], lengths[6]) > 1.2 and max(lengths[15], lengths[20]) < 0.8
    assert f3["linear_batch_1e04"] > 0.5  # "far from unrelated"
    assert f3["cosine_noisy_batch"] > 0.8 > 0.5 > f3["cosine_new_noise"]
