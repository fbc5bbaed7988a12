"""BNN1 to BNN3: what is trained, and what follows from the trainings."""

import dataclasses

import numpy as np
import pytest
import torch

from bnlab import claims
from bnlab.chapters.binary_nets import bnn1_three_parts as bnn1
from bnlab.chapters.binary_nets import bnn2_drop as bnn2
from bnlab.chapters.binary_nets import bnn3_collapse as bnn3
from bnlab.chapters.binary_nets import setups
from bnlab.chapters.binary_nets.trainings import (
    BASE,
    CLIP,
    METHODS,
    Divided,
    Setup,
    begun,
    divide,
    falling,
    inside,
    trained,
    widen,
)
from bnlab.chapters.binary_nets.tuned import (
    COLUMNS,
    TUNING_SEEDS,
    Arm,
    arm_facts,
    best_lr,
    effect_facts,
    lead,
    measured,
)
from bnlab.nets.binarize import FilterConv
from bnlab.train import Run, build
from bnlab.verdicts.interval import interval
from bnlab.verdicts.work import HERE

TINY = BASE.replace(width=4, steps=6, eval_every=6)
SHALLOW = {"depth": 2}


def parts(setup):
    """BatchNorm, clipping, standardized filters, factor of the branches, scale of the filters."""
    run = setup.run(TINY, 0.01, 0)
    net = build(run)
    filters = [m for m in net.blocks.modules() if isinstance(m, FilterConv)]
    return (
        any("running_mean" in name for name, _ in net.named_buffers()),
        run.clip,
        all(one.standardized for one in filters),
        net.blocks[0].alpha,
        {one.scale for one in filters},
    )


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("batch", (True, None, False, 1.0, {"none"})),
        ("none", (False, None, False, 1.0, {"none"})),
        ("divided", (False, None, False, 1.0, {"none"})),
        ("widened", (False, None, False, 1.0, {"none"})),
        ("clip", (False, CLIP, False, 1.0, {"none"})),
        ("standardized", (False, None, True, 1.0, {"mean_abs"})),
        ("block", (False, None, False, 0.2, {"none"})),
        ("three", (False, CLIP, True, 0.2, {"mean_abs"})),
        ("without_clip", (False, None, True, 0.2, {"mean_abs"})),
        ("without_standardized", (False, CLIP, False, 0.2, {"none"})),
        ("without_block", (False, CLIP, True, 1.0, {"mean_abs"})),
    ],
)
def test_each_method_has_its_parts_and_no_other(method, expected):
    assert parts(Setup(method, scale="none", **SHALLOW)) == expected


def test_the_cases_above_are_all_methods():
    assert len(METHODS) == 11


def test_standardized_filters_make_the_two_nets_one():
    nets = [
        build(Setup("three", scale=s, **SHALLOW).run(TINY, 0.1, 3)) for s in ("none", "mean_abs")
    ]
    x = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(nets[0](x), nets[1](x))


def test_divided_blocks_put_out_a_standard_deviation_of_one_and_learn_nothing_more():
    setup = Setup("none", scale="none", **SHALLOW)
    net = build(setup.run(TINY, 0.01, 0))
    before = [name for name, _ in net.named_parameters()]
    x = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    divide(net, x)
    seen = []
    for block in net.blocks:
        block.norm.register_forward_hook(lambda *args: seen.append(args[2].detach()))
    net(x)
    assert [float(one.std()) for one in seen] == pytest.approx([1.0, 1.0])
    assert [name for name, _ in net.named_parameters()] == before
    assert all(block.norm.constant > 2 for block in net.blocks)


def test_a_wider_window_leaves_signs_and_outputs_as_they_were_and_passes_gradients():
    setup = Setup("none", scale="none", shortcuts=False, depth=4)
    plain, wide = (build(setup.run(TINY, 0.01, 0)) for _ in range(2))
    x = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    widen(wide, x)
    outputs = [net(x) for net in (plain, wide)]
    assert torch.equal(*outputs)
    for out in outputs:
        out.square().sum().backward()
    flows = [(net.stem[0].weight.grad != 0).float().mean() for net in (plain, wide)]
    assert inside(wide, x)[-1] > 0.6 > inside(plain, x)[-1]
    assert flows[1] >= flows[0]


@pytest.mark.parametrize("method", ["none", "divided", "widened"])
def test_only_the_methods_that_say_so_divide(method):
    block = begun(TINY, Setup(method, scale="none", **SHALLOW), 0.01, 0).net.blocks[0]
    assert isinstance(block.norm, Divided) == (method == "divided")
    assert isinstance(block.sign, torch.nn.Sequential) == (method == "widened")


def test_the_share_inside_counts_what_the_signs_see_with_their_bias():
    net = build(Setup("none", **SHALLOW).run(TINY, 0.01, 0))
    net.stem = torch.nn.Identity()
    x = torch.full((2, 4, 8, 8), 0.5)
    x[:, 0] = 2.0
    assert inside(net, x)[0] == pytest.approx(3 / 4)
    with torch.no_grad():
        net.blocks[0].sign.bias[1] = 0.6  # 1.1: outside
    assert inside(net, x)[0] == pytest.approx(2 / 4)


def test_looking_at_the_window_changes_no_training():
    net = build(Setup("batch", **SHALLOW).run(TINY, 0.01, 0))
    before = {name: one.clone() for name, one in net.state_dict().items()}
    inside(net, torch.randn(8, 1, 8, 8))
    assert all(torch.equal(one, before[name]) for name, one in net.state_dict().items())


def test_the_rate_falls_linearly_to_zero():
    trainer = begun(TINY, Setup("none", **SHALLOW), 0.06, 0)
    rates = [trainer.optimizer.param_groups[0]["lr"] for _ in falling(trainer)]
    assert rates == pytest.approx([0.06, 0.05, 0.04, 0.03, 0.02, 0.01, 0.0])


def test_a_second_stage_begins_with_the_real_weights_of_the_first():
    setup = Setup("three", stages=2, **SHALLOW)
    second = begun(TINY, setup, 0.01, 0)
    assert second.run.steps == 3
    assert all(conv.binary for conv in (block.conv for block in second.net.blocks))
    run = setup.run(TINY, 0.01, 0).replace(steps=3, eval_every=3)
    first = begun(run, dataclasses.replace(setup, stages=1), 0.01, 0)
    assert not torch.equal(first.net.blocks[0].conv.weight, second.net.blocks[0].conv.weight)
    for block in first.net.blocks:  # the same training by hand, with real filters
        for module in block.modules():
            if isinstance(module, FilterConv):
                module.binary = False
    for _ in falling(first):
        pass
    assert torch.equal(first.net.blocks[0].conv.weight, second.net.blocks[0].conv.weight)


def test_a_net_that_diverged_has_no_accuracy():
    setup = Setup("none", scale="none", optimizer="sgd", **SHALLOW)
    val, test, first, last, step = trained(TINY, setup, 1e6, 0)
    assert val is test is last is None
    assert 0 < first < 1 and 1 <= step <= 6


ARMS = {
    "a": Arm(Setup("none", **SHALLOW), (0.01, 0.1)),
    "b": Arm(Setup("batch", **SHALLOW), (0.1,)),
}


def test_a_measurement_trains_each_arm_with_its_best_rate_and_takes_an_earlier_one_over():
    data = measured(ARMS, [5], HERE, None, TINY)
    counted = [row[:3] for row in data["rows"] if row[2] == 5]
    assert counted == [["a", best_lr(data, "a"), 5], ["b", 0.1, 5]]
    assert len(data["rows"]) == 3 * len(TUNING_SEEDS) + 2
    marked = {**data, "rows": [[*row[:3], 0.5, *row[4:]] for row in data["rows"]]}
    again = measured(ARMS, [6], HERE, marked, TINY)
    assert [row[3] for row in again["rows"] if row[2] in TUNING_SEEDS] == [0.5] * 6
    with pytest.raises(ValueError, match="another Run"):
        measured(ARMS, [5], HERE, data, TINY.replace(steps=5))


def test_a_seed_that_chose_the_rates_is_not_counted():
    with pytest.raises(ValueError, match="chose the learning rates"):
        bnn1.measure([0, 1000])


def table(arms, seeds, score):
    """A measurement in which ``score(arm, k)`` is the accuracy at an arm's k-th rate."""
    rows = [
        [name, lr, seed, score(name, k), score(name, k), 0.25, 0.5, None]
        for name, arm in arms.items()
        for k, lr in enumerate(arm.lrs)
        for seed in (*TUNING_SEEDS, *seeds)
    ]
    return {
        "base": BASE.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": list(TUNING_SEEDS),
        "lrs": {name: list(arm.lrs) for name, arm in arms.items()},
        "columns": list(COLUMNS),
        "rows": rows,
    }


@pytest.mark.parametrize(("name", "module"), [("BNN1", bnn1), ("BNN2", bnn2), ("BNN3", bnn3)])
def test_the_effects_are_those_of_the_claim_at_each_arms_best_rate(name, module):
    order = list(module.ARMS)
    data = table(module.ARMS, [7, 8], lambda arm, k: 0.9 - order.index(arm) / 100 - abs(k - 1) / 4)
    found = module.values(data)
    assert set(found) == {effect.name for effect in claims.claim(name).effects}
    assert all(best_lr(data, arm) == module.ARMS[arm].lrs[1] for arm in order)
    for values in found.values():
        assert values[0] == values[1] and abs(values[0]) >= 0.01 - 1e-9
    facts = module.facts(data)
    effect, values = next(iter(found.items()))
    assert facts[f"points_{effect}"] == pytest.approx(100 * values.mean())
    assert facts[f"test_{order[0]}"] == pytest.approx(90)


def test_bnn3_takes_none_from_batchnorm_in_the_same_net():
    score = {"signs_batch": 0.9, "signs_none": 0.5, "signs_widened": 0.8}
    data = table(bnn3.ARMS, [7, 8], lambda arm, k: score.get(arm, 0.1))
    found = bnn3.values(data)
    assert found["signs"] == pytest.approx([0.4, 0.4])
    assert found["window"] == pytest.approx([0.3, 0.3])
    assert found["scaled"] == pytest.approx([0.0, 0.0])


def test_facts_say_accuracy_rate_window_and_divergence_of_each_arm():
    data = table(ARMS, [7, 8], lambda arm, k: 0.5 + k / 10)
    data["rows"] = [[*row[:7], 3] if row[:3] == ["a", 0.1, 8] else row for row in data["rows"]]
    found = arm_facts(data)
    assert found["lr_a"] == 0.1 and found["diverged_a"] == 1 and found["diverged_b"] == 0
    assert found["test_a"] == pytest.approx((60 + 10) / 2) and found["worst_a"] == 10
    assert found["inside_first_b"] == 25 and found["inside_b"] == 50
    assert lead(data, "a", "b") == pytest.approx([0.1, -0.4])


def test_the_power_of_an_effect_is_half_of_its_interval():
    numbers = np.array([0.01, 0.02, 0.03, 0.04])
    found = effect_facts({"one": numbers})
    assert found["points_one"] == pytest.approx(2.5)
    low, high = interval(numbers)
    assert found["power_one"] == pytest.approx(100 * (high - 0.025)) and low < 0.01


def test_the_nets_of_bnn3_differ_in_scale_and_shortcuts_alone():
    plain = Setup("none")
    for net, options in bnn3.NETS.items():
        none = bnn3.ARMS[f"{net}_none"].setup
        assert none == dataclasses.replace(plain, **options)
        assert bnn3.ARMS[f"{net}_batch"].setup == dataclasses.replace(none, method="batch")


def test_the_stored_search_is_the_one_that_the_module_makes():
    stored = setups.load()
    assert Run.from_dict(stored["base"]) == BASE
    assert all(2000 <= seed < 2100 for seed in stored["seeds"])
    wanted = [
        [*dataclasses.astuple(setup), lr, seed] for setup, lr, seed in setups.cases(stored["seeds"])
    ]
    assert [row[: len(wanted[0])] for row in stored["rows"]] == wanted
    first = setups.search([2000], Fake())
    assert [row[len(wanted[0]) :] for row in first["rows"]] == [[0] * 5] * (
        len(wanted) // len(stored["seeds"])
    )


def test_the_search_tells_the_accuracy_at_the_rate_that_validation_chose():
    rows = [
        [*dataclasses.astuple(Setup("none", depth=3)), lr, 2000, val, test, 0.5, 0.5, None]
        for lr, val, test in ((0.01, 0.7, 0.6), (0.03, 0.8, 0.5), (0.1, 0.2, 0.9))
    ]
    found = {"seeds": [2000], "columns": list(setups.COLUMNS), "rows": rows}
    assert setups.accuracy(found, "none", depth=3) == pytest.approx(50)


class Fake:
    """Work that trains nothing."""

    def starmap(self, function, items):
        return [[0] * 5 for _ in items]


BLOCKS = {"BNN1": (1000, 1016), "BNN2": (1016, 1032), "BNN3": (1032, 1048)}


@pytest.mark.parametrize("name", BLOCKS)
def test_each_claim_counts_seeds_of_its_own(name):
    low, high = BLOCKS[name]
    assert all(low <= seed < high for seed in claims.load(name).data["seeds"])


@pytest.mark.parametrize("name", BLOCKS)
def test_no_best_rate_of_the_evidence_lies_at_the_edge_of_its_grid(name):
    data = claims.load(name).data
    for arm, rates in data["lrs"].items():
        assert min(rates) < best_lr(data, arm) < max(rates), arm
