"""Data sets and samplers."""

import itertools

import numpy as np
import pytest
from scipy import stats

from bnlab import random
from bnlab.data import SAMPLERS, Dataset, batches, check_sampler, digits, load
from bnlab.train import Run, train

PARTS = ("train", "val", "test")
LABELS = np.array([0, 1, 2, 3, 4] * 30 + [0] * 50)  # classes of unequal size, in no order
ARGUMENTS = [
    *(("iid", {}), ("one_class", {}), ("k_classes", {"k": 3}), ("one_class_from", {"step": 2})),
]
every_sampler = pytest.mark.parametrize("name, options", ARGUMENTS, ids=[n for n, _ in ARGUMENTS])


def drawn(name: str, steps: int, seed: int = 0, batch_size: int = 16, **options) -> np.ndarray:
    return np.array(list(batches(LABELS, name, seed, batch_size, steps, **options)))


def numbered_images(data: Dataset) -> list[bytes]:
    return [image.tobytes() for part in PARTS for image in getattr(data, f"{part}_x")]


# ----------------------------------------------------------------------------------- digits


@pytest.mark.parametrize("split_seed", [0, 1, 17])
def test_the_split_is_disjoint_and_complete(split_seed):
    from sklearn.datasets import load_digits

    data = digits(split_seed)
    assert [len(getattr(data, f"{part}_x")) for part in PARTS] == [1197, 300, 300]
    raw = ((load_digits().images - 5) / 6).astype(np.float32)
    # As multisets: the set of images may hold the same image twice.
    assert sorted(numbered_images(data)) == sorted(image.tobytes() for image in raw)


def test_labels_stay_with_their_images():
    from sklearn.datasets import load_digits

    raw = load_digits()
    images = ((raw.images - 5) / 6).astype(np.float32)
    label_of = {x.tobytes(): y for x, y in zip(images, raw.target, strict=True)}
    data = digits(3)
    for part in PARTS:
        x, y = getattr(data, f"{part}_x"), getattr(data, f"{part}_y")
        assert [label_of[image.tobytes()] for image in x] == y.tolist()


def test_the_split_depends_on_the_split_seed_alone():
    digits.cache_clear()
    first = numbered_images(digits(4))
    np.random.seed(123)  # the global generator must not matter
    digits.cache_clear()
    assert numbered_images(digits(4)) == first
    assert numbered_images(digits(5)) != first
    one, other = (train(Run(steps=1, depth=1, seed=seed)) for seed in (0, 1))
    assert one.run.split_seed == other.run.split_seed and one.loss[0] != other.loss[0]
    assert numbered_images(digits(4)) == first


def test_images_are_standardized_by_constants():
    data = digits(0)
    x = np.concatenate([getattr(data, f"{part}_x") for part in PARTS])
    assert x.dtype == np.float32 and x.shape == (1797, 1, 8, 8)
    assert abs(x.mean()) < 0.03 and abs(x.std() - 1) < 0.01
    assert x.min() == np.float32(-5 / 6) and x.max() == np.float32(11 / 6)
    assert data.image_shape == (1, 8, 8) and data.num_classes == 10
    assert data.train_y.dtype == np.int64 and set(data.train_y) == set(range(10))


def test_load_knows_its_data_sets():
    assert load("digits", 2) is digits(2)
    with pytest.raises(ValueError, match=r"unknown data set 'digit'\. Did you mean 'digits'\?"):
        load("digit")


# ---------------------------------------------------------------------------------- Dataset


def parts(**changes) -> dict[str, np.ndarray]:
    out = {}
    for part in PARTS:
        out[f"{part}_x"] = np.zeros((4, 1, 2, 2), np.float32)
        out[f"{part}_y"] = np.array([0, 1, 2, 1])
    return {**out, **changes}


def with_value(value: float) -> np.ndarray:
    x = np.zeros((4, 1, 2, 2), np.float32)
    x[2, 0, 1, 0] = value
    return x


def test_good_data_pass():
    assert Dataset("mine", 3, **parts()).image_shape == (1, 2, 2)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "x, y, message",
    [
        (np.zeros((0, 1, 2, 2)), np.zeros(0, int), "is empty; give it at least one image"),
        (np.zeros((4, 1, 0, 2)), None, "is empty"),
        (with_value(np.nan), None, "holds NaN or infinite values; remove or replace them first"),
        (with_value(-np.inf), None, "holds NaN or infinite values"),
        (None, np.array([0, 1, 3, 1]), "must lie between 0 and 2, got 0 to 3"),
        (None, np.array([0, -1, 2, 1]), "must lie between 0 and 2, got -1 to 2"),
        (
            None,
            np.array([0, 1, np.nan, 1]),
            r"must be int64, got float64; use y.astype\(np.int64\)",
        ),
        (None, np.array([0, 1, 2, 1], np.int32), "must be int64, got int32"),
        (None, np.array([0, 1, 2]), r"must have .*, got \(4, 1, 2, 2\) and \(3,\)"),
        (
            np.zeros((4, 4)),
            None,
            r"must have images \(n, C, H, W\) and labels \(n,\), got \(4, 4\)",
        ),
    ],
)
def test_bad_data_are_refused_in_each_part(part, x, y, message):
    changes = {f"{part}_{k}": v for k, v in (("x", x), ("y", y)) if v is not None}
    with pytest.raises(ValueError, match=f"{part} part of data set 'mine' {message}"):
        Dataset("mine", 3, **parts(**changes))


def test_parts_must_have_images_of_one_shape():
    with pytest.raises(ValueError, match="test part of data set 'mine' must have images"):
        Dataset("mine", 3, **parts(test_x=np.zeros((4, 1, 3, 3), np.float32)))


# --------------------------------------------------------------------------------- samplers


# Frozen, as the numbers in test_random.py: what the page trains on must be the same batches.
GOLDEN = {
    "iid": [[131, 74, 177, 172], [84, 39, 131, 18]],
    "one_class": [[74, 59, 104, 94], [8, 98, 48, 38]],
    "k_classes": [[72, 57, 190, 92], [8, 99, 95, 38]],
    "one_class_from": [[131, 74, 177, 172], [8, 98, 48, 38]],
}


@every_sampler
def test_the_first_batches_are_these(name, options):
    assert drawn(name, 2, batch_size=4, **options).tolist() == GOLDEN[name]


def test_the_first_training_images_are_these():
    from sklearn.datasets import load_digits

    order = random.permutation(0, random.SPLIT, 1797)
    assert order[:6].tolist() == [1166, 966, 1710, 1779, 1614, 381]
    images = ((load_digits().images[order[:6]] - 5) / 6).astype(np.float32)
    assert np.array_equal(digits(0).train_x[:6, 0], images)


@every_sampler
def test_batches_have_their_size_and_name_images(name, options):
    numbers = drawn(name, 150, **options)
    assert numbers.shape == (150, 16) and numbers.dtype == np.int64
    assert numbers.min() >= 0 and numbers.max() < len(LABELS)


@every_sampler
def test_a_batch_does_not_depend_on_the_blocks_in_which_it_is_drawn(name, options):
    sample = SAMPLERS[name](LABELS, 5, 7, **options)
    at_once = sample(0, 150)
    assert np.array_equal(at_once, np.array(list(batches(LABELS, name, 5, 7, 150, **options))))
    assert np.array_equal(at_once, np.concatenate([sample(i, 1) for i in range(150)]))
    assert np.array_equal(at_once[100:], sample(100, 50))


@every_sampler
def test_seeds_give_other_batches_and_batches_differ(name, options):
    one, other = (drawn(name, 50, seed=seed, **options) for seed in (0, 1))
    assert (one != other).any(axis=1).all()
    assert len({tuple(batch) for batch in one}) == 50


def test_iid_draws_every_image_equally_often():
    counts = np.bincount(drawn("iid", 5000).ravel(), minlength=len(LABELS))
    assert stats.chisquare(counts).pvalue > 1e-3


def test_one_class_batches_are_pure_and_all_classes_come_equally_often():
    classes = LABELS[drawn("one_class", 2000)]
    assert (classes == classes[:, :1]).all()
    assert stats.chisquare(np.bincount(classes[:, 0])).pvalue > 1e-3


def test_one_class_draws_the_images_of_a_class_equally_often():
    numbers = drawn("one_class", 4000).ravel()
    for c in range(5):
        counts = np.bincount(numbers, minlength=len(LABELS))[c == LABELS]
        assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_k_classes_has_at_most_k_and_uses_them_equally(k):
    classes = LABELS[drawn("k_classes", 1000, batch_size=32, k=k)]
    counts = [len(set(batch)) for batch in classes]
    assert max(counts) == k
    assert np.mean(counts) > k - 0.1  # 32 draws leave hardly one of 5 classes out
    assert stats.chisquare(np.bincount([c for batch in classes for c in set(batch)])).pvalue > 1e-4


def test_k_of_one_is_one_class():
    assert np.array_equal(drawn("k_classes", 20, k=1), drawn("one_class", 20))


def test_labels_need_not_be_contiguous():
    labels = np.array([2, 7, 7, 2, 40])
    numbers = np.array(list(batches(labels, "one_class", 0, 3, 60)))
    pure = labels[numbers]
    assert (pure == pure[:, :1]).all() and set(pure[:, 0]) == {2, 7, 40}


@every_sampler
def test_batches_come_one_block_at_a_time(name, options):
    """2**28 steps must not be drawn before the first one is taken."""
    first = next(batches(LABELS, name, 0, 4, 2**28, **options))
    assert np.array_equal(first, drawn(name, 1, batch_size=4, **options)[0])


@pytest.mark.parametrize("steps", [0, 1, 63, 64, 65, 129])
def test_as_many_batches_as_steps(steps):
    assert sum(1 for _ in batches(LABELS, "iid", 0, 4, steps)) == steps


@pytest.mark.parametrize(
    "name, options, message",
    [
        (
            "idd",
            {},
            r"unknown sampler 'idd'\. Did you mean 'iid'\? Known: iid, one_class, k_classes",
        ),
        ("iid", {"k": 2}, r"unknown option of sampler 'iid': 'k'\. Known: none"),
        ("k_classes", {"n": 2}, "unknown option of sampler 'k_classes': 'n'. Known: k"),
        ("k_classes", {}, "sampler 'k_classes' needs the option 'k'"),
    ],
)
def test_unknown_samplers_and_options(name, options, message):
    with pytest.raises(ValueError, match=message):
        check_sampler(name, options)
    with pytest.raises(ValueError, match=message):  # at once, without taking a batch
        batches(LABELS, name, 0, 4, 10, **options)


@pytest.mark.parametrize("k", [0, -1, 6, 2.0, True, "2", None])
def test_k_must_be_between_1_and_the_number_of_classes(k):
    with pytest.raises(ValueError, match="k must be between 1 and 5, the number of classes in"):
        batches(LABELS, "k_classes", 0, 4, 10, k=k)


@every_sampler
def test_a_batch_size_that_does_not_fit_is_refused_at_once(name, options):
    message = r"batch_size=201 is larger than the training data \(200 images\); choose a smaller"
    with pytest.raises(ValueError, match=message):
        batches(LABELS, name, 0, 201, 10, **options)
    with pytest.raises(ValueError, match="batch_size must be a positive integer, got 0"):
        batches(LABELS, name, 0, 0, 10, **options)
    assert next(itertools.islice(batches(LABELS, name, 0, 200, 10, **options), 9, 10)).shape == (
        200,
    )
