"""The card of T8: the matrix of who sees whom, in Python and in the page."""

import shutil

import numpy as np
import pytest
import torch

from bnlab.chapters.clinic.t8_penalty import NORMS, SEEDS, matrix_of
from bnlab.lab.clinic.t8 import ALONE, CARD, LOOKED_AT, TOGETHER, t8_run, t8_trainings
from bnlab.train import make_trainer
from tests.lab.clinic.in_node import of_the_page, whole

STEPS = 300
USUAL = {"instead": "group", "when": "after", "seed": SEEDS[0], "repaired": False}
STATES = [
    {**USUAL, "norm": "batch", "repaired": True},
    {**USUAL, "norm": "ghost_batch", "instead": "layer", "repaired": True},
    {**USUAL, "norm": "batch_renorm", "seed": SEEDS[1]},
    {**USUAL, "norm": "batch", "when": "before"},
]


@pytest.fixture(scope="module")
def found():
    return [whole(t8_trainings(state, "compiled")) for state in STATES]


def test_every_normalizer_of_the_card_is_one_of_the_claim():
    assert {*TOGETHER, *ALONE} == {*NORMS} - {"none"}


def test_with_batch_norm_samples_see_each_other_and_with_group_norm_they_do_not(found):
    batch, alone = (np.array(found[0][name]["matrix"]) for name in ("batch", "group"))
    assert (batch > 0).all() and (alone == np.diag(alone.diagonal())).all()
    assert found[0]["batch"]["leak"][-1][1] > 20 and found[0]["batch"]["penalty"] > 10
    assert {leak for _, leak in found[0]["group"]["leak"]} == {found[0]["group"]["penalty"]} == {0}


@pytest.mark.parametrize("norm", TOGETHER)
@pytest.mark.parametrize("seed", CARD.seeds)
def test_the_symptom_is_seen_with_every_seed(norm, seed):
    state = {**CARD.first, "norm": norm, "seed": seed, "repaired": False}
    curve = whole(t8_trainings(state, "compiled"))[norm]
    assert min(leak for _, leak in curve["leak"]) > 20 and curve["penalty"] > 10


def test_with_ghost_batches_there_are_blocks(found):
    matrix = np.array(found[1]["ghost_batch"]["matrix"])
    block = np.kron(np.eye(2), np.ones((4, 4))) > 0
    assert (matrix[block] > 0).all() and (matrix[~block] == 0).all()


def test_before_the_training_the_matrix_is_that_of_the_start(found):
    trainer = make_trainer(t8_run("batch", STATES[3]), "compiled", "cpu")
    x, y = (torch.tensor(part[:LOOKED_AT]) for part in trainer.part("val"))
    matrix, _ = matrix_of(trainer.net.double(), x.double(), y)
    assert np.array_equal(found[3]["batch"]["matrix"], matrix)
    assert found[3]["batch"]["leak"] == found[0]["batch"]["leak"]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_page_computes_what_python_computes(tmp_path, found):
    for theirs, mine in zip(of_the_page(tmp_path, "t8", STATES, STEPS), found, strict=True):
        assert list(theirs) == list(mine)
        for name, curve in theirs.items():
            for key in ("leak", "penalty", "matrix"):
                assert np.array(curve[key]) == pytest.approx(np.array(mine[name][key]), rel=1e-9)
            for key in ("step", "diverged_at", "done"):
                assert curve[key] == mine[name][key]
