"""W1 on CIFAR-10: which nets are measured, and what follows from the eigenvalues."""

import numpy as np
import pytest

from bnlab.chapters.mean_field import w1_cifar10 as w1
from bnlab.chapters.mean_field import wide_net
from bnlab.data import DATASETS, Dataset


@pytest.fixture
def small_cifar(monkeypatch):
    """In the place of CIFAR-10: a few random images of the size that is asked for."""
    draw = np.random.default_rng(0)
    pixels = draw.normal(size=(40, 3, 32, 32)).astype(np.float32)
    labels = draw.integers(0, 10, 40)

    def loaded(split_seed=0, image_size=32):
        x = pixels[:, :, :image_size, :image_size]
        parts = {f"{part}_x": x for part in ("train", "val", "test")}
        return Dataset("cifar10", 10, **parts, **{key.replace("_x", "_y"): labels for key in parts})

    monkeypatch.setitem(DATASETS, "cifar10", loaded)


def test_every_net_is_measured_on_images_of_each_size(small_cifar, monkeypatch):
    monkeypatch.setattr(w1, "BASE", w1.BASE.replace(width=12))
    monkeypatch.setattr(w1, "SIZES", (16,))
    data = w1.measure(seeds=[3], image_size=16)
    assert data["base"]["image_size"] == 16
    nets = [("none", 1.0), ("batch", 1.0), ("batch", 4.0)]
    assert [row[:4] for row in data["rows"]] == [[16, *net, 3] for net in nets]
    run = w1.BASE.replace(image_size=16, norm="batch", gamma=4.0, seed=3)
    found = wide_net.eigenvalue(wide_net.net_at_start(run), "constant", w1.images(run))
    assert data["rows"][2][4] == found != data["rows"][2][5]
    assert w1.repeat(data, [3]) == data
    assert all(np.isfinite(number) for number in w1.facts(data).values())


def test_the_photographs_of_the_base_decide():
    """The eigenvalue without a normalizer is 100, and with BatchNorm as the table says."""
    table = {(32, 1.0): (10, 5), (32, 4.0): (200, 50), (16, 1.0): (1, 1), (16, 4.0): (1, 1)}
    rows = [[size, "none", 1.0, 7, 100, 100] for size in (32, 16)]
    rows += [[size, "batch", g, 7, *pair] for (size, g), pair in table.items()]
    data = {"base": w1.BASE.to_dict(), "seeds": [7], "columns": list(w1.COLUMNS), "rows": rows}
    wanted = {"one": 1, "four": np.log10(0.5), "one_through": np.log10(20)}
    wanted["four_through"] = np.log10(2)
    assert w1.BASE.image_size == 32
    assert {key: value.item() for key, value in w1.values(data).items()} == pytest.approx(wanted)


def test_theory_is_that_of_the_net_and_its_number_of_inputs():
    data = {"base": w1.BASE.replace(width=300).to_dict()}
    sizes = (w1.predicted(data, size, "none", 1.0) for size in (32, 16))
    assert next(sizes) > next(sizes)
    net = wide_net.mean_field([768, 300, 300, 300], "batch", 1.0, corrected=True)
    wanted = net.fisher_eigenvalue(w1.IMAGES, 10)
    assert w1.predicted(data, 16, "batch", 1.0) == wanted
