"""S4 on CIFAR-10, with tiny nets on digits in place of it."""

import copy

import numpy as np
import pytest

from bnlab.chapters.smoothness import s4_along_gradient, s4_cifar10
from bnlab.chapters.smoothness.cifar10_claims import S4_CIFAR10
from bnlab.train import Run
from bnlab.verdicts.verdict import decide

SMALL = Run(net="plain", depth=2, width=4, batch_size=16, steps=73, eval_every=73, lr=0.1)


@pytest.fixture(scope="module", autouse=True)
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(s4_cifar10, "BASE", SMALL)
        yield


@pytest.fixture(scope="module")
def measured(small):
    return s4_cifar10.measure(seeds=range(8))


@pytest.fixture
def data(measured):
    return copy.deepcopy(measured)


def test_every_effect_has_a_number_a_seed_and_early_is_a_sixth(data):
    assert data["looks"] == [10, 60]  # one early, one late
    assert len(data["rows"]) == 2 * 2 * 8
    values = s4_cifar10.values(data)
    assert set(values) == {effect.name for effect in S4_CIFAR10.effects}
    table = {(row[0], row[1], row[2]): row for row in data["rows"]}
    ranges = [table[norm, 0.1, 3][4] for norm in ("none", "batch")]
    first, last = (np.log10(ranges[0][at] / ranges[1][at]) for at in (0, 1))
    assert values["range"][3] == pytest.approx(first)
    assert values["early"][3] == pytest.approx(first - last)
    assert decide(S4_CIFAR10, values).word
    assert s4_cifar10.facts(data)["diverged_none_0_1"] == 0


def test_it_is_the_look_of_the_digits(data):
    run = SMALL.replace(norm="batch", seed=5)
    expected = s4_along_gradient.look(run, at=data["looks"])
    found = [s4_cifar10.curves(data, "batch", name)[5] for name in s4_cifar10.NUMBERS]
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_some_seeds_are_measured_again(data):
    assert s4_cifar10.repeat(data, [5])["rows"] == [row for row in data["rows"] if row[2] == 5]


def test_a_net_that_diverges_has_fewer_looks_and_keeps_its_last_one(data):
    for row in data["rows"]:
        if row[:3] == ["none", 0.1, 2]:
            row[3:] = [numbers[:1] for numbers in row[3:]]
    curve = s4_cifar10.curves(data, "none", "range")[2]
    assert curve[1] == curve[0]
    assert all(np.isfinite(numbers).all() for numbers in s4_cifar10.values(data).values())
    assert s4_cifar10.facts(data)["diverged_none_0_1"] == 1


def test_where_the_net_is_lost_the_looks_end(monkeypatch):
    seen = []

    def spoilt(trainer, numbers):
        seen.append(numbers)
        if len(seen) == 2:
            trainer.net.head.weight.data.fill_(float("nan"))
        return s4_along_gradient.along(trainer, numbers)

    monkeypatch.setattr(s4_cifar10, "along", spoilt)
    assert [len(numbers) for numbers in s4_cifar10.look(SMALL, "cpu")] == [1] * 5
    assert s4_cifar10.look(SMALL.replace(lr=1e30), "cpu") == [[]] * 5
