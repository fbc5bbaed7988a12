"""What chapter 02 says in words still follows from the evidence."""

import numpy as np

from bnlab import claims
from bnlab.chapters.signals.b3_to_b6_l1_at_start import column


def test_what_chapter_02_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    found = {name: claims.load(name) for name in ("B3", "B4", "B5", "B6", "B8", "L1")}
    facts = {name: evidence.facts for name, evidence in found.items()}
    words = {j.effect.name: j.word for j in found["B3"].verdict.judgements}
    assert words["law_inside"] == words["law_blocks"] == "holds"  # "at every place"
    assert words["level_second"] == words["level_normalized"] == "holds"  # "its output is level"
    assert words["level_blocks"] == words["level_first"] == "does not hold"  # "so the sum grows"
    assert (
        facts["B3"]["none_growth"] > 100 > 30 * facts["B3"]["batch_growth"]
    )  # "but little beside"
    variance = column(found["L1"].data, "batch", "variance")
    assert (np.median(variance, 0)[9] < 0.5 * np.median(variance, 0)[8]).all()  # "starts anew"
    assert facts["B5"]["none_given_label"] > 0.5 > 2 * facts["B5"]["batch_given_label"]  # "most"
    assert 0.4 < facts["B5"]["none_common"] < 0.65 and abs(facts["B5"]["batch_common"]) < 0.01
    assert facts["B5"]["batch_given_label_last"] > 0.5  # "near the output, most ... too"
    assert 15 < facts["B5"]["batch_last"] < 20  # "near the output it is a little less"
    assert facts["B4"]["first"] < 0.2 * facts["B4"]["ratio"] < 2 * facts["B4"]["last"]
    assert found["B4"].verdict.prediction == "wrong"  # "a much smaller difference"
    assert found["L1"].verdict.word == "shown" and abs(facts["L1"]["sws_skipinit"] - 1) < 0.2
    ends = sorted((facts["L1"]["batch_exponent"], facts["L1"]["layer_exponent"]))
    assert all(ends[0] < facts["L1"][f"{n}_exponent"] < ends[1] for n in ("group", "instance"))
    assert facts["L1"]["batch"] < 8 and facts["L1"]["weight_norm"] < 3000  # "stays far below"
    share = column(found["B6"].data, "batch", "share")
    assert np.ptp(share) > 0.3  # "with a large spread between seeds"
    sure = (found["B6"].facts["none_sure"], found["B6"].facts["batch_sure"])
    assert sure[0] - sure[1] > 0.2  # "What differs clearly"
    spread = (found["B8"].facts["spread_none"], found["B8"].facts["spread_batch"])
    assert 0.1 < spread[1] / spread[0] < 1  # "the scale, not the spread"
