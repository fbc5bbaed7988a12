"""How alike the images of a group are, and how they are drawn."""

import numpy as np
import pytest

from bnlab.chapters.batch_renorm import arrangements
from bnlab.chapters.batch_renorm.arrangements import CLASSES, alike_groups, whole_groups
from bnlab.data import load

LABELS = load("digits").train_y


@pytest.mark.parametrize("arrangement", CLASSES)
def test_a_group_holds_its_classes_equally_often_and_a_batch_all_of_them(arrangement):
    batches = arrangements.arranged(arrangement, LABELS, 3, 80, 8)
    held, drawn = CLASSES[arrangement], []
    for _ in range(5):
        numbers = next(batches)
        drawn.append(numbers)
        for group in LABELS[numbers].reshape(10, 8):
            assert np.unique(group, return_counts=True)[1].tolist() == [8 // held] * held
        assert np.bincount(LABELS[numbers]).tolist() == [8] * 10
    assert not np.array_equal(drawn[0], drawn[1])
    assert len({tuple(LABELS[numbers]) for numbers in drawn}) == 5  # other classes side by side


def test_mixed_groups_are_the_images_of_pure_ones_in_a_random_order():
    pure, mixed = (arrangements.arranged(one, LABELS, 3, 80, 8) for one in ("pure", "mixed"))
    for _ in range(5):
        numbers, shuffled = next(pure), next(mixed)
        assert sorted(numbers) == sorted(shuffled)
        assert min(len(set(group)) for group in LABELS[shuffled].reshape(10, 8)) > 2


def test_whole_groups_are_arranged_as_in_training():
    few = np.array([0, 1, 0, 1, 0, 0, 0])
    assert whole_groups(few, 2, "iid").tolist() == [0, 1, 2, 3, 4, 5]
    assert whole_groups(few, 2, "pure").tolist() == [0, 2, 1, 3]
    for arrangement, held in CLASSES.items():
        numbers = whole_groups(LABELS, 8, arrangement)
        assert len(set(numbers)) == len(numbers) > 700
        for group in LABELS[numbers].reshape(-1, 8):
            assert np.unique(group, return_counts=True)[1].tolist() == [8 // held] * held


def test_what_cannot_be_arranged_says_why():
    with pytest.raises(ValueError, match="1 to 4"):
        next(alike_groups(np.arange(4), 0, 80, 8))
    with pytest.raises(ValueError, match="3 classes do not share a group of 8"):
        next(alike_groups(LABELS, 0, 80, 8, 3))
