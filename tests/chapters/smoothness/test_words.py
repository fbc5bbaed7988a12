"""What chapter 05 says in words still follows from the evidence."""

from bnlab import claims


def test_what_chapter_05_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    s4, s5, s6 = (claims.load(name) for name in ("S4", "S5", "S6"))
    f = s4.facts
    assert f["range_early_6_0_1"] > f["change_early_6_0_1"] > 3 * f["beta_early_6_0_1"] > 3
    assert 20 < f["size_share_change_6_0_1"] < 30  # "a quarter of the difference in the change"
    assert 45 < f["size_share_range_6_0_1"] < 55  # "half of that in the range"
    assert f["relative_6_0_1"] > 2 * f["beta_early_6_0_1"]  # "β shows less of it"
    assert f["range_late_6_0_1"] < 1 and f["turned_6_0_1"] > 8  # "Late the order turns"
    late = [f[f"{name}_late_6_0_1"] for name in ("loss", "size")]
    assert max(late) < 1  # "the net without a normalizer has the smaller loss"
    assert f["loss_late_6_0_03"] < 1 < f["beta_late_6_0_03"]  # "and yet the larger β"
    turned = [f[f"turned_beta_{place}"] for place in ("6_0_03", "6_0_1", "6_0_3")]
    assert turned[0] == 0 and min(turned[1:]) > 12  # "at all rates but the smallest"
    assert (
        max(f["beta_early_15_0_03"], f["size_early_15_0_03"]) < 0.9 < 3 < f["range_early_15_0_03"]
    )
    assert abs(f["scaled_beta_0_5"] / f["beta_early_6_0_1"] - 1) < 0.2  # "as large as the lead"
    assert f["sharp_first_none"] > 5 * f["sharp_first_batch"]  # "is there at the start"
    assert f["sharp_none_0_3"] < f["sharp_none_0_1"] < f["sharp_first_none"] / 3
    assert f["sharp_batch_1"] < f["sharp_batch_0_3"]  # "BatchNorm's does so too"
    assert max(f["edge_none_0_3"], f["edge_batch_1"]) < 1.2
    g = s5.facts
    lacks = [g[f"missing_{norm}"] for norm in ("l1_batch", "l2_batch", "linf_batch")]
    assert max(lacks[:2]) < 20 and 25 < lacks[2] < 33  # "more than a quarter of the gain"
    beta = [g[f"beta_missing_{norm}"] for norm in ("l1_batch", "l2_batch", "linf_batch")]
    assert max(beta[:2]) < 30 and beta[2] > 60  # "and most of the shrinking of β"
    assert g["range_missing_linf_batch"] < 10  # "most of BatchNorm's gain in range"
    assert g["placebo"] > 80  # "Such a test must be able to fail"
    assert g["linear_ahead_l1_batch"] > 12 and g["linear_explained"] > 70  # "most of its lead"
    h = s6.facts
    assert s6.verdict.word == "holds by algebra" and h["error"] < 1e-12 and h["violated"] > 99
    assert h["removed_every"] < 2 and h["scale_6"] > 1.3 < h["scale_15"]
    assert h["through_15"] > 10 * h["through_6"] > 30
