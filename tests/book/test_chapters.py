"""What every chapter holds, and where its numbers come from."""

import json
import re
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "book"
CLAIMS = BOOK.parent / "src" / "bnlab" / "chapters"
SCOREBOARD = "13_scoreboard"  # not a chapter about a claim: see test_scoreboard_page.py
CHAPTERS = [path for path in sorted(BOOK.glob("[0-9]*.ipynb")) if path.stem != SCOREBOARD]
WITHOUT_CLAIMS = ("01_the_family",)  # chapters that explain what the others test
TESTING = [path for path in CHAPTERS if path.stem not in WITHOUT_CLAIMS]
OF_CLAIMS = ("Claim ", "All claims of the paper")
PARTS = (
    "What the paper",
    "Try it",
    "What is disputed",
    "Exercises",
    "Take-away",
    "Scale up",
)


def cells(path, kind):
    return [
        "".join(cell["source"])
        for cell in json.loads(path.read_text())["cells"]
        if cell["cell_type"] == kind
    ]


def prose(path):
    """Markdown without code, formulas, links and solutions."""
    text = "\n\n".join(cells(path, "markdown"))
    for pattern in (
        r"```.*?```",
        r"<details>.*?</details>",
        r"\$\$.*?\$\$",
        r"\$.*?\$",
        r"`[^`]*`",
    ):
        text = re.sub(pattern, " ", text, flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)", "]", text)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_the_template_is_complete(path):
    headings = re.findall(r"^#+ (.*)$", prose(path), re.M)
    assert headings[0].endswith("?"), "a chapter's title is a question"
    for part in PARTS + (OF_CLAIMS if path in TESTING else ()):
        assert any(h.startswith(part) for h in headings), f"no section '{part}'"
    text = prose(path)
    assert "For the lecturer" in text and "**Takes**" in text
    assert 1000 <= len(text.split()) <= 2000
    solution = BOOK / "solutions" / path.name
    assert solution.is_file() and f"solutions/{path.name}" in "\n".join(cells(path, "markdown"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_prose_states_no_measured_number(path):
    """A decimal or a percentage in Markdown is a setting that code sets too, or the paper's own."""
    code = "\n".join(cells(path, "code")) + "".join(p.read_text() for p in CLAIMS.rglob("*.py"))
    for paragraph in prose(path).split("\n\n"):
        if "paper's figure" in paragraph or "arXiv" in paragraph:
            continue  # the paper's own numbers, said to be so; and references
        for number in re.findall(r"\d+\.\d+|\d+ ?%", paragraph):
            assert number in code, f"{number!r} in: {paragraph[:90]}"


@pytest.mark.parametrize("path", TESTING, ids=lambda p: p.stem)
def test_claims_have_their_boxes(path):
    code = "\n".join(cells(path, "code"))
    ids = re.findall(r'claim_box\("(\w+)"\)', code)
    assert ids
    for name in ids:
        assert f'verdict_box("{name}"' in code and f'claims.measure("{name}"' in code
    assert re.search(r'claims_table\("\w+"\)', code)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_exercises_have_their_checks_and_cells_are_short(path):
    code = "\n".join(cells(path, "code"))
    assert 2 <= len(set(re.findall(r'check\("(\d\d\.\d)"', code))) <= 4
    assert all(len(c.splitlines()) <= 12 for c in cells(path, "code"))
    shown = [cell for cell in json.loads(path.read_text())["cells"] if not cell["metadata"]]
    for cell in shown:
        if cell["cell_type"] == "code":  # a page shows about 76 columns without scrolling
            assert max(map(len, "".join(cell["source"]).splitlines())) <= 76


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_chapters_import_little_and_touch_no_files(path):
    code = "\n".join(cells(path, "code"))
    allowed = {"bnlab", "numpy", "torch", "matplotlib", "sys", "inspect", "copy", "math"}
    found = {name.split(".")[0] for name in re.findall(r"^(?:from|import) ([\w.]+)", code, re.M)}
    assert found <= allowed
    assert not re.search(r"\bopen\(|\bPath\(|^!", code, re.M)


def test_every_source_in_the_bibliography_is_a_paper_with_an_address():
    text = (BOOK / "references.bib").read_text()
    entries = re.split(r"\n(?=@)", text.strip())
    assert len(entries) >= 9
    for entry in entries:
        for field in ("author", "title", "year", "url"):
            assert f"{field} = {{" in entry, entry.splitlines()[0]


def test_papers_of_the_claims_are_in_the_bibliography():
    from bnlab.claims import CLAIMS

    text = (BOOK / "references.bib").read_text()
    for claim in CLAIMS.values():
        assert f"{{{claim.paper}," in text


def test_what_chapter_03_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    from bnlab import claims

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


def test_what_chapter_02_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    import numpy as np

    from bnlab import claims
    from bnlab.chapters.signals.b3_to_b6_l1_at_start import column

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


def test_what_chapter_04_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    from bnlab import claims

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


def test_what_chapter_05_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    from bnlab import claims

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


def test_what_chapter_06_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    from bnlab import claims

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


def test_what_chapter_07_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    from bnlab import claims

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


def test_what_chapter_08_says_in_words_still_follows_from_the_evidence():
    """Sentences of the chapter that no code prints; if one fails, the text must change."""
    from bnlab import claims
    from bnlab.chapters.group_size.l3_order import GROUPS
    from bnlab.lab.group_sizes.group_sizes import start_grid

    l2, l3, l4, l5, l6 = (claims.load(f"L{number}") for number in range(2, 7))
    assert l2.verdict.word == l4.verdict.word == l3.verdict.word == "shown"
    assert abs(l2.facts["layer_20"] - l2.facts["none_20"]) < 0.05  # "as with layer norm"
    assert 0.5 < l4.facts["batch_20"] / l4.facts["instance_20"] < 1  # "near instance norm"
    facts = l3.facts
    assert facts["tau_others_low"] < 0.2  # "the interval reaches below our margin"
    assert facts["tau_sharpness_low"] < 0 < facts["tau_sharpness_high"]  # "it does not"
    sharp = [facts[f"{norm}_sharpness"] for norm in GROUPS]
    assert sharp == sorted(sharp)  # "Within group norm this fits"
    rates = {norm: facts[f"{norm}_lr"] for norm in l3.data["norms"]}
    assert max(rates.values()) == rates["instance"]  # "the largest best rate of all"
    assert facts["group_2_loss"] < facts["instance_loss"]  # "and groups of 2 are faster"
    most = max(facts[f"{norm}_sharpness"] for norm in l3.data["norms"])
    assert facts["variance_sharpness"] == most  # "starts sharpest of all"
    assert facts["variance_loss"] < min(facts[f"{norm}_loss"] for norm in GROUPS)
    assert rates["filter_response"] > rates["group_4"]  # "bears a larger rate, and is slower"
    assert facts["filter_response_loss"] > facts["group_4_loss"]
    facts = l5.facts
    assert l5.verdict.word == "reversed"  # "layer norm that loses ground"
    for end in ("plain10", "2_plain10", "2_plain20"):  # "faster and bore larger rates"
        assert facts[f"slower_{end}"] > 1 > facts[f"usable_{end}"]
    for net in ("mlp6", "mlp12"):  # "in MLPs the large group did both"
        assert facts[f"slower_{net}"] < 1 < facts[f"usable_{net}"]
    last = {name: profiles["12"] for name, profiles in start_grid().items()}
    cosine = {name: one["cosine"][-1][0] for name, one in last.items()}
    growth = {
        n: one["gradient_norm"][0][0] / one["gradient_norm"][-1][0] for n, one in last.items()
    }
    assert 0.05 < cosine["layer"] - cosine["group_4"] < 0.1  # "rises a little"
    assert 9 < growth["group_4"] < 13 and growth["layer"] < 1  # "tenfold", "not at all"
    assert growth["group_2"] < 0.1  # "Most of the gradient is lost"
    assert l6.verdict.word == "not shown" and l6.facts["overall"] == "batch"
    for net in l6.data["nets"]:  # "the best or level in every net"
        best = max(l6.facts[f"{norm}_{net}"] for norm in l6.data["norms"])
        assert best - l6.facts[f"batch_{net}"] < 1
    assert l6.facts["instance_plain20"] == min(l6.facts[f"{n}_plain20"] for n in l6.data["norms"])
    assert abs(l6.facts["instance_resnet"] - l6.facts["batch_resnet"]) < 1  # "level"
