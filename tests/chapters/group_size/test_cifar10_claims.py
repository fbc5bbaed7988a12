"""L2 to L5 at the second scale: what their rows are, on few images made here."""

import copy

import numpy as np
import pytest
import torch

from bnlab import claims
from bnlab.chapters.group_size import l2_l4_cifar10, l3_l5_cifar10
from bnlab.chapters.group_size.l2_l4_at_start import SIZES
from bnlab.data import DATASETS, Dataset
from bnlab.train import build
from bnlab.verdicts import race
from bnlab.verdicts.race import RATES
from bnlab.verdicts.work import Work


def few_images(split_seed, image_size=32):
    """In the place of CIFAR-10: a few random images, of the size that is asked for."""
    draw, parts = np.random.default_rng(split_seed), {}
    for part, count in (("train", 40), ("val", 10), ("test", 10)):
        shape = (count, 3, image_size, image_size)
        parts[f"{part}_x"] = draw.normal(size=shape).astype(np.float32)
        parts[f"{part}_y"] = draw.integers(0, 10, count)
    return Dataset("cifar10", 10, **parts)


@pytest.fixture
def small_cifar(monkeypatch):
    monkeypatch.setitem(DATASETS, "cifar10", few_images)


@pytest.fixture
def quick_start(small_cifar, monkeypatch):
    base = l2_l4_cifar10.BASE.replace(image_size=16, batch_size=4)
    monkeypatch.setattr(l2_l4_cifar10, "BASE", base)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """L3, L5, and L5 repeated, with trainings that are made up: the middle rate is the best.

    What L3 has trained, L5 finds. The repetition trains the counted seed alone.
    """
    arms = {**l3_l5_cifar10.SIZES, **l3_l5_cifar10.OTHERS}
    trained = []

    def made_up(run, *_):
        trained.append(run)
        return run

    def outcome(run):
        name, arm = next(one for one in arms.items() if run.replace(**one[1].fields) == run)
        return [1.0 + len(name) / 100, 1.5, 0.9 if run.lr == arm.lrs[1] else 0.8, 0.5, None]

    work = Work(folder=tmp_path_factory.mktemp("parts"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DATASETS, "cifar10", few_images)
        patch.setattr(l3_l5_cifar10, "BASE", l3_l5_cifar10.BASE.replace(depth=3, batch_size=4))
        patch.setattr(race, "train", made_up)
        patch.setattr(race, "outcome", outcome)
        found = [claims.measure(name, "cifar10", seeds=[7], work=work) for name in ("L3", "L5")]
        assert len(trained) == 8 * 3 * 2 + 3 * 3 + 5  # by the first of the two alone
        again = found[1].claim.repeat(found[1].data, [7])
        assert {run.seed for run in trained[62:]} == {7}
        with pytest.raises(ValueError, match="chose the learning rates"):
            claims.measure("L5", "cifar10", seeds=[0])
    return *found, again


def test_the_cosine_is_that_of_two_images_after_the_last_convolution(small_cifar):
    run = l2_l4_cifar10.BASE.replace(depth=2, width=4, batch_size=5, norm="layer", seed=3)
    x, y = l2_l4_cifar10.batch(run)
    assert x.shape == (5, 3, 32, 32) and x.dtype == torch.float64 and len(y) == 5
    rows = build(run).double().body(x).detach().flatten(1)
    rows = rows / rows.norm(dim=1, keepdim=True)
    mean = ((rows @ rows.T).sum() - 5) / 20
    assert l2_l4_cifar10.cosines(run)[-1] == pytest.approx(float(mean))


def test_the_gradient_is_that_of_the_outputs_of_each_convolution(small_cifar):
    run = l2_l4_cifar10.BASE.replace(depth=2, width=4, batch_size=5, norm="batch", seed=3)
    net, (x, y) = build(run).double(), l2_l4_cifar10.batch(run)
    kept = []
    net.body[0].register_forward_hook(lambda _m, _i, out: (out.retain_grad(), kept.append(out))[0])
    torch.nn.functional.cross_entropy(net(x), y).backward()
    found = l2_l4_cifar10.gradients(run)
    assert len(found) == 2 and found[0] == pytest.approx(float(kept[0].grad.norm()))


@pytest.mark.parametrize("name", ["L2", "L4"])
def test_at_the_start_each_depth_and_normalizer_has_a_row(quick_start, name):
    found = claims.measure(name, "cifar10", seeds=[7])
    assert len(found.data["rows"]) == 2 * len(found.data["norms"])
    assert set(SIZES) < set(found.data["norms"]) and found.data["depths"] == [20, 10]
    assert [len(row[3]) for row in found.data["rows"]] == [20] * 8 + [10] * 8
    effects = {effect.name for effect in found.claim.effects}
    assert set(found.values) == effects and np.isfinite([*found.facts.values()]).all()


def test_sizes_are_trained_at_every_rate_and_the_others_at_the_best(both):
    data = both[0].data
    for norm in data["arms"]:
        rates = {row[1] for row in data["rows"] if row[0] == norm and row[2] == 7} - {None}
        assert len(rates) == (3 if norm in l3_l5_cifar10.SIZES else 1), norm
    counted = [tuple(row[:3]) for row in data["rows"]]
    assert len(counted) == len(set(counted)) == 8 * 3 * 2 + 3 * 3 + 5 + 8
    assert {len(row) for row in data["rows"]} == {len(data["columns"])}


@pytest.mark.parametrize("norm", ["group_2", "scaled_weight_standardization"])
def test_a_net_of_the_race_trains(small_cifar, norm):
    arm = {**l3_l5_cifar10.SIZES, **l3_l5_cifar10.OTHERS}[norm]
    run = l3_l5_cifar10.BASE.replace(**arm.fields, batch_size=4, steps=10, eval_every=10)
    loss, end, *_, diverged_at = race.train_one(run.replace(lr=arm.lrs[1], seed=7))
    assert diverged_at is None and 0 < end <= np.log(10) + 1e-4 and 0 < loss <= np.log(10) + 1e-4


def test_both_claims_have_the_same_rows_and_each_its_own_numbers(both):
    three, five, again = both
    assert three.data == five.data == again
    for found in (three, five):
        assert set(found.values) == {effect.name for effect in found.claim.effects}
        assert np.isfinite([*found.facts.values()]).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_tau_is_that_of_the_cosine_and_the_loss_at_the_best_rate(both, sign):
    data = copy.deepcopy(both[0].data)
    for row in data["rows"]:
        place = l3_l5_cifar10.NORMS.index(row[0])
        if row[1] is None:
            row[8] = float(place)
        elif row[2] == 7:
            at_best = row[1] == race.best_lr(data, row[0])
            row[3] = 10.0 + sign * place if at_best else 1.0
    found = l3_l5_cifar10.order_values(data)
    assert found["order"] == pytest.approx([sign])
    assert found["groups"] == pytest.approx([sign])


def test_groups_are_those_of_group_norm_alone(both):
    data = copy.deepcopy(both[0].data)
    for row in data["rows"]:
        place = l3_l5_cifar10.NORMS.index(row[0])
        if row[1] is None:
            row[8] = float(place)
        else:
            row[3] = 10.0 + place if row[0] in l3_l5_cifar10.GROUPS else 1.0
    found = l3_l5_cifar10.order_values(data)
    assert found["groups"] == pytest.approx([1.0]) and found["order"] < 0.5


def test_the_tradeoff_is_layer_norm_over_small_groups(both):
    data = copy.deepcopy(both[1].data)
    largest = {"layer": 0.3, "group_2": 0.03, "group_4": 0.1}
    for row in data["rows"]:
        if row[2] == 7 and row[0] in largest:
            row[3] = 2.0 if row[0] == "layer" else 1.0
            row[5] = 0.9 if (row[1] or 1) <= largest[row[0]] else 0.2
    found = l3_l5_cifar10.tradeoff_values(data)
    assert found["stability"] == pytest.approx([1.0])
    assert found["stability_4"] == pytest.approx(np.log10([3.0]))
    assert found["speed"] == pytest.approx(np.log10([2.0]))
    assert found["speed_4"] == pytest.approx(np.log10([2.0]))
    facts = l3_l5_cifar10.tradeoff_facts(data)
    assert facts["usable_layer"] == pytest.approx(0.3)
    assert facts["usable_2"] == pytest.approx(10) and facts["slower_4"] == pytest.approx(2)


def test_rates_are_neighbours_on_the_grid_and_seeds_are_kept_apart():
    for arm in (*l3_l5_cifar10.SIZES.values(), *l3_l5_cifar10.OTHERS.values()):
        first = RATES.index(arm.lrs[0])
        assert RATES[first : first + 3] == arm.lrs
    seeds = [*l3_l5_cifar10.SEEDS, *l2_l4_cifar10.SEEDS, *race.TUNING_SEEDS]
    assert len(seeds) == len(set(seeds)) == 17
