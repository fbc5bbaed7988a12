"""R3 and R4 on CIFAR-10, with tiny nets on digits: groups, arrangements, races, what follows."""

import numpy as np
import pytest

from bnlab import claims
from bnlab.chapters.batch_renorm import r3_cifar10, r4_cifar10
from bnlab.chapters.batch_renorm.cifar10_groups import OneGroupTrainer, normalized, train_grouped
from bnlab.chapters.batch_renorm.microbatches import GroupTrainer, Setting, train_groups
from bnlab.train import Run, train
from bnlab.verdicts import race
from bnlab.verdicts.race import Arm
from bnlab.verdicts.work import Work

TINY = Run(net="plain", depth=2, width=8, batch_size=80, steps=10, eval_every=10, lr=0.1)
MODULES = {"R3": r3_cifar10, "R4": r4_cifar10}
LRS = (0.03, 0.1, 0.3)


@pytest.fixture(params=MODULES)
def small(request, monkeypatch):
    """The module of a claim, with a base that takes no time."""
    module = MODULES[request.param]
    base = TINY.replace(batch_size=module.BATCH_SIZE)
    monkeypatch.setattr(module, "BASE", base)
    return module


@pytest.mark.parametrize("arrangement", ["iid", "mixed", "two", "four"])
@pytest.mark.parametrize("norm", ["batch", "batch_renorm"])
def test_one_net_trains_as_in_a_stack(norm, arrangement):
    """Other code, the same losses: groups, arrangements and limits are those of the digits."""
    run = TINY.replace(**normalized(norm, TINY.steps), precision="float64")
    one = [r.loss for r in OneGroupTrainer(run, 8, arrangement).steps()][1:]
    stack = [r[0].loss for r in GroupTrainer([run], Setting(8, arrangement)).steps() if r[0]][1:]
    np.testing.assert_allclose(one, stack, rtol=1e-9)


def test_what_becomes_of_a_training_is_told_as_a_race_tells_it():
    run = TINY.replace(steps=40, **normalized("batch_renorm", 40))
    (stack,) = train_groups([run], Setting(8, "two"))
    loss, end, val, test, diverged_at = train_grouped(run, 8, "two")
    assert loss == pytest.approx(stack["loss"], rel=1e-3) and end < loss
    assert val == pytest.approx(stack["val_running"], abs=0.02)
    assert test == pytest.approx(stack["test_running"], abs=0.02)
    assert diverged_at is None


def test_groups_matter_and_a_group_of_the_whole_batch_is_batch_norm():
    run = TINY.replace(norm="batch")
    assert train_grouped(run, 80) == race.outcome(train(run, device="cpu"))
    assert train_grouped(run, 4) != train_grouped(run, 80)
    group = TINY.replace(norm="group", norm_options={"group_size": 8})
    assert train_grouped(group, 4) == train_grouped(group, 80)


def test_a_net_that_diverges_has_the_accuracy_of_chance():
    *_, val, test, diverged_at = train_grouped(TINY.replace(lr=1e12), 8)
    assert val == test == 0.1 and diverged_at is not None


def test_bad_input_says_what_is_needed():
    with pytest.raises(ValueError, match="groups of 7 do not divide a batch of 80"):
        train_grouped(TINY.replace(norm="batch"), 7)
    with pytest.raises(ValueError, match=r"arrangement .*iid, mixed, pure"):
        train_grouped(TINY, 8, "sorted")


def test_limits_follow_the_papers_schedule_shortened_to_the_steps():
    options = normalized("batch_renorm", r3_cifar10.STEPS)["norm_options"]
    schedule = {"warmup": 54, "d_end": 270, "r_end": 433, "r_max": 3.0, "d_max": 5.0}
    assert options == {"momentum": 0.1, "schedule": schedule}
    assert normalized("batch", 500)["norm_options"] == {"momentum": 0.1}


class Given(Work):
    """Notes what is asked for, and says that the middle rate is the best."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def starmap(self, function, items):
        assert function is train_grouped
        self.asked += items
        return [[1.0, 0.5, *2 * [self.score(*item)], None] for item in items]

    def score(self, run, group, arrangement, _device):
        worth = {"batch": 0.5, "batch_renorm": 0.6, "group": 0.4}[run.norm]
        worth -= 0.1 * (group == 4) + {"two": 0.2, "four": 0.1}.get(arrangement, 0.0)
        return worth - abs(np.log10(run.lr) + 1.5) / 10


def test_each_arm_is_trained_with_its_groups_at_its_best_rate():
    """The settings that count, without the trainings."""
    for name, module in MODULES.items():
        work = Given()
        data = module.measure(work=work)
        counted = [item for item in work.asked if item[0].seed in module.SEEDS]
        assert len(counted) == 8 * len(module.ARMS) and {run.lr for run, *_ in counted} == {0.03}
        assert {item[0].seed for item in work.asked} == {0, *module.SEEDS}
        fields = {"lr": 1.0, "seed": 0, "norm": "none", "norm_options": {}}
        assert {run.replace(**fields) for run, *_ in counted} == {module.BASE.replace(**fields)}
        assert len({(run.norm, *rest) for run, *rest in counted}) == len(module.ARMS)
        claim = claims.CLAIMS[name].at("cifar10")
        assert set(module.values(data)) == {effect.name for effect in claim.effects}
    counted = [module.SEEDS for module in MODULES.values()]
    assert counted == [tuple(range(1340, 1348)), tuple(range(1348, 1356))]


def test_effects_are_differences_of_errors_at_the_best_rates():
    # Errors are 0.5 and 0.6 in R3, where four samples cost 0.1.
    data = r3_cifar10.measure(work=Given())
    np.testing.assert_allclose(r3_cifar10.values(data)["conv"], np.log10(0.6 / 0.5), atol=0.01)
    found = r3_cifar10.facts(data)
    assert found["points_cost"] == pytest.approx(10) == found["points_gain"]
    assert found["points_left"] == pytest.approx(0, abs=1e-9) and found["lr_group"] == 0.03
    data = r4_cifar10.measure(work=Given())
    values, found = r4_cifar10.values(data), r4_cifar10.facts(data)
    np.testing.assert_allclose(values["two_conv"], np.log10(0.7 / 0.6), atol=0.01)
    np.testing.assert_allclose(values["four_conv"], np.log10(0.6 / 0.5), atol=0.01)
    np.testing.assert_allclose(values["kept_conv"], 0.2)
    assert found["points_lost_batch_four"] == pytest.approx(10)
    assert found["times_mixed"] == pytest.approx(0.5 / 0.4, abs=0.01)


def test_a_few_tiny_nets_measured_and_repeated(small):
    data = small.measure(seeds=[7], tuning=small.measure(work=Given()))
    assert data["arms"] == list(small.ARMS) and data["base"] == small.BASE.to_dict()
    counted = [row for row in data["rows"] if row[2] == 7]
    assert len(counted) == len(small.ARMS)
    assert counted == [row for row in small.repeat(data, [7])["rows"] if row[2] == 7]
    for found in small.values(data).values():
        assert found.shape == (1,) and np.isfinite(found).all()
    assert all(np.isfinite(x) for name, x in small.facts(data).items() if name != "image_size")
    with pytest.raises(ValueError, match=r"seeds \[0\] chose"):
        small.measure(seeds=[0])


def test_a_race_trains_as_it_is_told():
    def own(run, best):
        return [1.0, 1.0, *2 * [0.9 - abs(np.log10(run.lr / best)) / 10], None]

    arms = {"low": Arm({}, LRS, (0.01,)), "high": Arm({"norm": "batch"}, LRS, (1.0,))}
    data = race.race(arms, TINY, [5], Here(), train_one=own)
    assert (race.best_lr(data, "low"), race.best_lr(data, "high")) == (0.01, 1.0)
    np.testing.assert_allclose(race.lead(data, "low", "high"), [0.0])


class Here(Work):
    """Takes functions that no other process can find."""

    def starmap(self, function, items):
        return [function(*item) for item in items]
