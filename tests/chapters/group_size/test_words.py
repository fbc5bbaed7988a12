"""What chapter 08 says in words still follows from the evidence."""

from bnlab import claims
from bnlab.chapters.group_size.l3_order import GROUPS
from bnlab.lab.group_sizes.group_sizes import start_grid


def test_what_chapter_08_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    l2, l3, l4, l5, l6 = (claims.load(f"L{number}") for number in range(2, 7))
    assert l2.verdict.word == l4.verdict.word == l3.verdict.word == "shown"
    assert abs(l2.facts["layer_20"] - l2.facts["none_20"]) < 0.05  # "next to nothing"
    l2_photos, l4_photos = (claims.load(name, scale="cifar10") for name in ("L2", "L4"))
    assert l2_photos.verdict.word == l4_photos.verdict.word == "shown"  # "there again"
    photos = [claims.load(name, scale="cifar10") for name in ("L3", "L5")]
    assert {one.verdict.word for one in photos} == {"undecided"}  # "neither L3 nor L5"
    words = {one.effect.name: one.word for one in photos[1].verdict.judgements}
    assert words["stability"] == "undecided" and photos[1].facts["usable_2"] < 1
    assert 1 < photos[1].facts["slower_2"] < 1.05  # "On CIFAR-10 both train about as fast"
    facts = l3.facts
    assert facts["tau_others_low"] < 0.2  # "below our margin"
    assert facts["tau_sharpness_low"] < 0 < facts["tau_sharpness_high"]  # "it does not"
    sharp = [facts[f"{norm}_sharpness"] for norm in GROUPS]
    assert sharp == sorted(sharp)  # "Within group norm this fits"
    rates = {norm: facts[f"{norm}_lr"] for norm in l3.data["norms"]}
    assert max(rates.values()) == rates["instance"]  # "the largest best rate of all"
    assert facts["group_2_loss"] < facts["instance_loss"]  # "and groups of 2 are faster"
    most = max(facts[f"{norm}_sharpness"] for norm in l3.data["norms"])
    assert facts["variance_sharpness"] == most  # "starts sharpest of all"
    assert facts["variance_loss"] < min(facts[f"{norm}_loss"] for norm in GROUPS)
    facts = l5.facts
    assert l5.verdict.word == "reversed"  # "bear larger rates"
    for end in ("plain10", "2_plain10", "2_plain20"):  # "faster and bore larger rates"
        assert facts[f"slower_{end}"] > 1 > facts[f"usable_{end}"]
    for net in ("mlp6", "mlp12"):  # "in the perceptrons the large group does both"
        assert facts[f"slower_{net}"] < 1 < facts[f"usable_{net}"]
    last = {name: profiles["12"] for name, profiles in start_grid().items()}
    cosine = {name: one["cosine"][-1][0] for name, one in last.items()}
    growth = {
        n: one["gradient_norm"][0][0] / one["gradient_norm"][-1][0] for n, one in last.items()
    }
    assert 0.05 < cosine["layer"] - cosine["group_4"] < 0.1  # "rises a little"
    assert 9 < growth["group_4"] < 13 and growth["layer"] < 1  # "tenfold", "not at all"
    assert growth["group_2"] < 0.1  # "little gradient passes"
    assert l6.verdict.word == "not shown" and l6.facts["overall"] == "batch"
    for net in l6.data["nets"]:  # "the best or level in every net"
        best = max(l6.facts[f"{norm}_{net}"] for norm in l6.data["norms"])
        assert best - l6.facts[f"batch_{net}"] < 1
