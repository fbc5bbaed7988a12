"""Augmentation: each image against a crop made by hand; what it depends on; who refuses it."""

import numpy as np
import pytest
import torch
from scipy import stats

from bnlab import random
from bnlab.data import DATASETS, Dataset
from bnlab.runs.augment import AUGMENTATIONS, CAN_BE_AUGMENTED, augmented
from bnlab.train import Run, Trainer, train, train_many

SHAPE = (6, 3, 32, 32)
IMAGES = torch.arange(1.0, np.prod(SHAPE) + 1).view(SHAPE)  # no two pixels alike, none zero
BASE = Run(data="cifar10", net="plain", depth=2, width=4, norm="batch", batch_size=4, steps=5)


def test_the_changes_are_a_crop_of_the_padded_image_or_of_its_mirror_image():
    """Image by image, with slices, from the numbers of the generator."""
    step, count = 3, len(IMAGES)
    start = (step - 1) * count
    out = augmented(IMAGES, "crop_flip", 5, step)
    rows = random.integers(5, random.CROP_ROW, 9, count, start)
    columns = random.integers(5, random.CROP_COLUMN, 9, count, start)
    flips = random.integers(5, random.MIRRORED, 2, count, start)
    assert 0 < flips.sum() < count
    for image, made, row, column, flip in zip(IMAGES, out, rows, columns, flips, strict=True):
        padded = np.pad(image.numpy(), ((0, 0), (4, 4), (4, 4)))
        crop = padded[:, row : row + 32, column : column + 32]
        np.testing.assert_array_equal(made.numpy(), crop[:, :, ::-1] if flip else crop)


def test_images_of_half_the_size_are_padded_with_half_as_many_pixels():
    images = IMAGES[..., ::2, ::2]
    out = augmented(images, "crop_flip", 5, 1)
    rows, columns = (random.integers(5, s, 5, 6) for s in (random.CROP_ROW, random.CROP_COLUMN))
    flips = random.integers(5, random.MIRRORED, 2, 6)
    for image, made, row, column, flip in zip(images, out, rows, columns, flips, strict=True):
        padded = np.pad(image.numpy(), ((0, 0), (2, 2), (2, 2)))
        crop = padded[:, row : row + 16, column : column + 16]
        np.testing.assert_array_equal(made.numpy(), crop[:, :, ::-1] if flip else crop)
    assert len({*rows.tolist(), *columns.tolist()}) > 2, "the images have moved"


def test_flip_alone_mirrors_some_images_and_moves_none():
    out = augmented(IMAGES, "flip", 5, 3)
    flips = random.integers(5, random.MIRRORED, 2, 6, 12).astype(bool)
    assert 0 < flips.sum() < 6
    assert torch.equal(out[flips], IMAGES[flips].flip(3))
    assert torch.equal(out[~flips], IMAGES[~flips])


def test_none_gives_the_images_themselves():
    assert augmented(IMAGES, "none", 0, 1) is IMAGES


def test_every_place_is_as_likely_as_any_other():
    """9 x 9 crops and their mirror images, in 20 batches of 1,000 images."""
    marked = torch.zeros(1000, 1, 32, 32)
    marked[:, 0, 16, 14] = 1  # stays inside, wherever the crop is; not in the middle
    seen = np.zeros((32, 32))
    for step in range(1, 21):
        out = augmented(marked, "crop_flip", 0, step)
        assert torch.equal(out.sum((1, 2, 3)), torch.ones(1000))
        seen += out.sum((0, 1)).numpy()
    rows, columns = seen.sum(1)[12:21], seen.sum(0)[10:22]
    assert rows.sum() == columns.sum() == 20_000
    assert stats.chisquare(rows).pvalue > 1e-3
    # Column 10 to 18, or mirrored 13 to 21: those in both are twice as likely.
    expected = np.array([1, 1, 1, 2, 2, 2, 2, 2, 2, 1, 1, 1]) * 20_000 / 18
    assert stats.chisquare(columns, expected).pvalue > 1e-3


def test_it_depends_on_seed_step_and_place_alone():
    one = augmented(IMAGES, "crop_flip", 0, 1)
    augmented(IMAGES, "crop_flip", 0, 9)  # what was drawn before does not matter
    assert torch.equal(augmented(IMAGES, "crop_flip", 0, 1), one)
    assert not torch.equal(augmented(IMAGES, "crop_flip", 0, 2), one)
    assert not torch.equal(augmented(IMAGES, "crop_flip", 1, 1), one)
    same = augmented(IMAGES[:1].repeat(6, 1, 1, 1), "crop_flip", 0, 1)
    assert len(torch.unique(same, dim=0)) > 1  # places in a batch differ
    assert torch.equal(augmented(IMAGES.double(), "crop_flip", 0, 1), one.double())


def test_torch_is_not_asked_for_random_numbers(torch_random_state_stays):
    augmented(IMAGES, "crop_flip", 0, 1)


# -------------------------------------------------------------------------------- in training


@pytest.fixture
def small_cifar(monkeypatch):
    """In the place of CIFAR-10: a few random images of its shape."""
    draw = np.random.default_rng(0)
    parts = {}
    for part, count in (("train", 40), ("val", 10), ("test", 10)):
        parts[f"{part}_x"] = draw.normal(size=(count, 3, 32, 32)).astype(np.float32)
        parts[f"{part}_y"] = draw.integers(0, 10, count)
    data = Dataset("cifar10", 10, **parts)
    monkeypatch.setitem(DATASETS, "cifar10", lambda split_seed: data)
    return data


def test_a_trainer_sees_augmented_images_in_each_step(small_cifar):
    trainer = Trainer(BASE.replace(augment="crop_flip", seed=2), "cpu")
    seen = []
    trainer.net.register_forward_pre_hook(lambda _, args: seen.append(args[0].clone()))
    numbers = list(Trainer(BASE.replace(seed=2), "cpu").batches)
    list(trainer.steps(looks=False))
    for step, (x, index) in enumerate(zip(seen[:-1], numbers, strict=True), start=1):
        images = torch.tensor(small_cifar.train_x[index])
        assert torch.equal(x, augmented(images, "crop_flip", 2, step))
    assert torch.equal(seen[-1], seen[-2])  # the last batch once more, as it was


def test_validation_and_test_images_stay_as_they_are(small_cifar):
    """With a learning rate that moves nothing, augmentation shows in the training loss alone."""
    run = BASE.replace(lr=1e-30, eval_every=5, norm="layer")
    one, other = train(run, device="cpu"), train(run.replace(augment="crop_flip"), device="cpu")
    assert np.array_equal(one.val_accuracy, other.val_accuracy)
    assert one.test_accuracy == other.test_accuracy
    assert not np.array_equal(one.loss, other.loss)


@pytest.mark.parametrize("how", ["flip", "crop_flip"])
def test_a_stack_augments_each_net_as_train_does(small_cifar, how):
    run = BASE.replace(augment=how, precision="float64")
    runs = [run, run.replace(seed=3, lr=0.3)]
    for one, other in zip(train_many(runs, engine="stack"), map(train, runs), strict=True):
        assert one.engine == "stack"
        np.testing.assert_allclose(one.loss, other.loss, rtol=1e-9)
    assert train_many([run, run.replace(augment="none")])[1].loss[0] != one.loss[0]


# ------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize("how", [a for a in AUGMENTATIONS if a != "none"])
def test_digits_are_not_augmented(how):
    message = f"augment='{how}' is not for data='digits': a mirrored digit .* Use augment='none'"
    with pytest.raises(ValueError, match=message):
        Run(augment=how)
    with pytest.raises(ValueError, match="is not for data='digits'"):
        BASE.replace(augment=how).replace(data="digits")


@pytest.mark.parametrize("how", ["crop", None, True])
def test_an_unknown_augmentation(how):
    with pytest.raises(ValueError, match=r"unknown augment .*Known: none, flip, crop_flip"):
        BASE.replace(augment=how)


def test_the_compiled_engine_refuses_it(small_cifar):
    run = BASE.replace(augment="flip")
    with pytest.raises(ValueError, match="does not augment images, got augment='flip': train with"):
        train(run, engine="compiled")
    assert train_many([run.replace(steps=1)])[0].engine == "torch"


def test_a_run_without_it_keeps_its_key():
    assert Run(augment="none").key() == Run().key() == "44136fa355b3678a"
    assert len({BASE.replace(augment=how).key() for how in AUGMENTATIONS}) == 3
    assert set(CAN_BE_AUGMENTED) < set(DATASETS)
