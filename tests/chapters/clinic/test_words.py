"""Sentences of chapter 14 that no code prints; if one fails, the text must change."""

import pytest
import torch
from torch import nn

from bnlab import claims
from bnlab.chapters.clinic.claims import CLAIMS, THREADS
from bnlab.chapters.clinic.threads import address, threads
from bnlab.verdicts.race import of_arm
from tests.chapters.clinic.page_of_the_clinic import PAGE, cells


@pytest.fixture(scope="module")
def facts():
    return {one.id: claims.load(one.id).facts for one in CLAIMS}


def words(name):
    return {one.effect.name: one.word for one in claims.load(name).verdict.judgements}


def test_the_words_of_the_eight_claims():
    found = [claims.load(one.id).verdict.word for one in CLAIMS]
    assert found == [
        *("shown", "shown in part", "undecided", "shown"),
        *("not shown", "undecided", "shown in part", "shown"),
    ]


def test_t1_the_least_of_all(facts):
    """'no net was below ... after the repair, and the worst had been at'."""
    found = facts["T1"]
    causes = ("slow", "one_class", "averaged")
    least = {
        what: min(found[f"{one}_{what}_least"] for one in causes)
        for what in ("repaired", "eval_mode")
    }
    assert least["repaired"] == found["averaged_repaired_least"]
    assert least["eval_mode"] == found["averaged_eval_mode_least"]


def test_in_short_three_causes(facts):
    """'With averaged weights ... Or the batch ... neither order nor decay'."""
    assert facts["T1"]["averaged_eval_mode"] < 60 < 95 < facts["T1"]["averaged_repaired"]
    assert facts["T2"]["test_batch_2"] < 40 < 90 < facts["T2"]["test_group_2"]
    assert "holds" not in {words("T6")["after_2"], words("T6")["after_6"]}
    assert words("T5")["weights_all"] == words("T5")["all_none"] == "no effect"


def test_t3_which_cost_was_larger(facts):
    said, found = words("T3"), facts["T3"]
    assert said["drift"] == "undecided"  # "whether it is, our seeds do not decide"
    assert claims.claim("T3").effects[0].margin == 0.01  # "more than a point"
    forgotten = found["head_before"] - found["head_old"]
    assert found["frozen_new"] - found["head_new"] > 3 * forgotten  # "another cost was larger"


def test_t7_most_of_it_is_dropout_itself(facts):
    found = facts["T7"]
    lost = found["same_rate_none"] - found["same_rate_before_5"]
    assert found["repaired_before_5"] - found["same_rate_before_5"] < lost / 3
    assert words("T7")["lost"] == "undecided"


def test_t2_what_the_seeds_decide():
    said = words("T2")
    assert said["eight"] == "holds" and said["four"] == "undecided"


def test_t4_and_t8_are_identities(facts):
    assert facts["T4"]["ghost_most"] < 1e-12 and facts["T4"]["layer_most"] < 1e-12
    assert facts["T8"]["leak_group_64"] == facts["T8"]["penalty_layer_64"] == 0


def test_t5_decay_was_worth_less_than_the_margin():
    assert words("T5")["weights_all"] == "no effect" and words("T5")["speed"] == "holds"
    assert claims.claim("T5").effects[0].margin == 0.005  # "half a point"


def test_t6_the_prediction_was_wrong_and_the_largest_rate_differs(facts):
    verdict = claims.load("T6").verdict
    (six,) = [one for one in verdict.judgements if one.effect.name == "after_6"]
    assert six.prediction == "wrong" and six.effect.predicted[1] < 0  # "would win with six"
    data = claims.load("T6").data
    for depth in (2, 6):
        before, after = (
            of_arm(data, f"{order}_bias_{depth}").column(
                "val_accuracy", lr=[3.0], seed=data["tuning_seeds"]
            )
            for order in ("before", "after")
        )
        assert before.mean() > after.mean() + 0.4  # "the largest rate that works"


def test_two_numbers_become_plus_and_minus_one_without_an_error():
    torch.manual_seed(0)
    out = nn.BatchNorm1d(5, affine=False)(100 * torch.randn(2, 5))
    torch.testing.assert_close(out.abs(), torch.ones(2, 5), atol=1e-2, rtol=0)


def test_every_thread_is_linked_and_in_the_references():
    bibliography = (PAGE.parent / "references.bib").read_text(encoding="utf-8")
    page = threads().page
    for found in THREADS.values():
        for one in found:
            assert address(one) in page and address(one) in bibliography


def test_each_symptom_leads_to_its_card_and_each_card_is_there():
    text = "\n".join(cell["text"] for cell in cells())
    for number in range(1, 9):
        assert text.count(f'<a href="#t{number}">') == text.count(f'<a id="t{number}"></a>') == 1
        assert text.count(f'Clinic("T{number}"') == 1
