"""The trainings to the end behind B1, in the page: their weights, and both numbers of the claim."""

import pytest

from bnlab.lab.repeat.rows import claim_of, trainings_of
from bnlab.verdicts import evidence
from tests.lab.repeat.repeat_node import needs_node
from tests.lab.repeat.test_rows import from_page, images_of_the_page, options_of, state_of

NAME, LONG = "B1", 3000
DIGITS = 1e-4  # the evidence keeps four digits of this loss, the page five


@needs_node
def test_the_page_trains_to_the_end_what_the_evidence_does(tmp_path):
    options, test = options_of(NAME), images_of_the_page()
    rows = {(one.arm, one.seed): one.row for one in trainings_of(evidence.load(claim_of(NAME)))}
    arms = [arm for arm in options["arms"] if arm["steps"] == LONG]
    assert [arm["name"] for arm in arms] == ["none_long", "batch_long"]
    places = [(arms[0], 0), (arms[1], len(options["seeds"]) - 1)]
    states = [state_of(arm, options["seeds"][i], test) for arm, i in places]
    for (arm, i), told in zip(places, from_page(tmp_path, "nets", states), strict=True):
        accuracy, loss = rows[arm["name"], options["seeds"][i]]
        assert told["digest"] == arm["digests"][i]
        assert told["test_accuracy"] == accuracy and told["diverged_at"] is None
        assert told["end"] == pytest.approx(loss, rel=DIGITS)
