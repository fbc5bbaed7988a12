"""What chapter 07 says in words still follows from the evidence."""

from bnlab import claims


def test_what_chapter_07_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    r1, r2, r3, r4, r5 = (claims.load(f"R{number}") for number in range(1, 6))
    assert r1.facts["output_largest"] < 1e-12  # "agree"
    assert r1.facts["gradient_largest"] < 1e-9 > r1.facts["sum_largest"]
    assert r2.facts["lr_batch"] == r2.facts["lr_batch_renorm"]  # "Both chose the same rate"
    assert r2.verdict.word == "shown"  # "At usual batches it costs nothing"
    core = {one.effect.name: one.word for one in r3.verdict.core}
    assert core == {"mlp": "holds", "conv": "undecided"}  # "the seeds do not decide"
    found = r3.facts
    assert found["train_batch_renorm_4"] > found["train_batch_4"] + 15  # "the gap is wide"
    assert found["gain_2"] > 20  # "with two samples the gain is"
    for name in ("batch_2", "batch_4", "batch_renorm_2"):  # "inference has the smaller share"
        assert found[f"inference_{name}"] < found[f"training_{name}"]
    assert found["training_batch_2"] > 8 * found["inference_batch_2"]  # "nearly all of the harm"
    assert found["gain_alone_4"] > found["gain_4"]  # "more than with groups of four"
    for size in (4, 8):  # "ahead here", and with two behind
        names = (f"test_running_{norm}_alone_{size}" for norm in ("batch_renorm", "group"))
        assert found[next(names)] > found[next(names)]
    assert found["test_running_group_alone_2"] > found["test_running_batch_renorm_alone_2"] + 10
    medians = [found[f"median_errors_{norm}_conv"] for norm in ("batch", "batch_renorm")]
    assert abs(medians[0] - medians[1]) < 0.7  # "the medians are close"
    assert found["batch_recomputed_at_0_001"] > found["batch_running_at_0_001"] + 5
    harm = found["batch_renorm_running_at_0_001"] - found["batch_renorm_recomputed_at_0_001"]
    assert harm > 5  # "recomputing does harm"
    assert found["batch_renorm_running_at_0_5"] < found["batch_renorm_running_at_0_01"] - 2
    for name in ("at_once", "unlimited"):  # "cost much"
        assert found["schedule_paper"] - found[f"schedule_{name}"] > 4
    found = r4.facts
    words = {one.effect.name: one.word for one in r4.verdict.judgements}
    assert words["two_mlp"] == words["kept_mlp"] == words["kept_conv"] == "holds"
    assert words["four_conv"] == "opposite"
    assert abs(found["times_four"] - 1) < 0.1  # "level"
    assert found["times_conv_two"] < 0.8  # "fewer errors with BatchNorm"
    assert found["lost_batch_conv_two"] < 0 > found["lost_batch_conv_four"]  # "loses nothing"
    assert found["lost_batch_four"] < 1  # "next to nothing"
    pure = [row for row in r4.data["rows"] if row[1] == "batch" and "pure" in row]
    at = r4.data["columns"].index("val_running")
    assert max(row[at] for row in pure) < 0.3  # "close to a guess, at every rate"
    assert found["train_batch_renorm_pure"] < 85  # "in training, too, the net is far from right"
    for name in ("at_once", "unlimited"):  # "the schedule changes next to nothing"
        assert abs(found[f"schedule_{name}"] - found["schedule_paper"]) < 2
    assert found["constant_test_running_pure"] > found["test_running_batch_renorm_pure"] + 15
    assert found["constant_test_running_two"] < 20  # "it learns at no rate of the grid"
    assert found["constant_broken_two"] > found["constant_grid_two"] / 2  # "has its price"
    assert r5.verdict.word == "shown" and r5.facts["diverged_none_4"] == r5.facts["seeds"]
