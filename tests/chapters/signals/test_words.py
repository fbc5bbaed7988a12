"""What chapter 02 says in words still follows from the evidence."""

import numpy as np

from bnlab import claims
from bnlab.chapters.signals.b3_to_b6_l1_at_start import column


def test_what_chapter_02_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    found = {name: claims.load(name) for name in ("B3", "B4", "B5", "B6", "B8", "L1")}
    facts = {name: evidence.facts for name, evidence in found.items()}
    words = {j.effect.name: j.word for j in found["B3"].verdict.judgements}
    assert words["law_inside"] == words["law_blocks"] == "holds"  # "An exponential fits it better"
    assert words["level_second"] == words["level_normalized"] == "holds"  # "it is level"
    assert words["level_blocks"] == words["level_first"] == "does not hold"  # "so it grows"
    assert abs(facts["B3"]["batch_second"] - 1) < 0.1
    assert facts["B3"]["none_growth"] > 30 * facts["B3"]["batch_growth"]  # "a product into a sum"
    variance = np.median(column(found["L1"].data, "batch", "variance"), 0)
    assert variance[9] < 0.5 * variance[8]  # "the sum starts anew"
    assert facts["B5"]["none_given_label"] > 0.5 > 2 * facts["B5"]["batch_given_label"]  # "most"
    assert abs(facts["B5"]["batch_common"]) < 0.01  # "next to nothing to all"
    assert facts["B5"]["batch_given_label_last"] > 0.5  # "near the output, most ... too"
    spread = (facts["B8"]["spread_none"], facts["B8"]["spread_batch"])
    assert 0.1 < spread[1] / spread[0] < 1  # "the scale, not the spread"
    shapes = {j.effect.name: j.word for j in found["L1"].verdict.judgements}
    assert set(shapes.values()) == {"holds"}  # "Normalizers of activations make them add"
    assert abs(facts["L1"]["sws_skipinit"] - 1) < 0.1  # "With SkipInit it stays as it is"
    ends = sorted((facts["L1"]["batch_exponent"], facts["L1"]["layer_exponent"]))
    assert all(ends[0] < facts["L1"][f"{n}_exponent"] < ends[1] for n in ("group", "instance"))
    # "Before the first measurement we expected ten times as much of weight norm": over 10,000
    assert 7 < 10_000 / facts["L1"]["weight_norm"] < 14
