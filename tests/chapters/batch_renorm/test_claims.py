"""What R1 to R5 measure: groups, arrangements, rates that are chosen, and what is drawn of it."""

import copy
from dataclasses import astuple
from itertools import product

import numpy as np
import pytest
import torch

from bnlab import claims, show
from bnlab.chapters.batch_renorm import (
    methods,
    microbatches,
    one_by_one,
    r1_identity,
    r3_few_samples,
    r3_limits_at_work,
    r4_alike,
    r4_constant_statistics,
    r5_scale,
    two_nets,
)
from bnlab.chapters.batch_renorm.figures import controls, four_accuracies, limits
from bnlab.chapters.batch_renorm.methods import Method
from bnlab.chapters.batch_renorm.microbatches import GroupRenorm, GroupTrainer, Setting
from bnlab.norms import BatchRenorm
from bnlab.train import Run, Trainer
from bnlab.verdicts import evidence
from bnlab.verdicts.work import Work

SMALL = Run(depth=2, width=16, steps=20, eval_every=20, batch_size=32, norm="batch", lr=0.1)
SCHEDULE = {"warmup": 0, "d_end": 1, "r_end": 1, "r_max": 1.5, "d_max": 0.4}
RENORM = SMALL.replace(norm="batch_renorm", norm_options={"schedule": SCHEDULE})


def layer(group=None):
    norm = BatchRenorm(3, r_max=1.5, d_max=0.4).double()
    with torch.no_grad():
        norm.running_mean.copy_(torch.tensor([0.5, -1.0, 0.0]))
        norm.weight.copy_(torch.tensor([1.0, -2.0, 0.5]))
        norm.bias.copy_(torch.tensor([0.0, 1.0, 3.0]))
    return GroupRenorm.of(norm, group) if group else norm


def inputs(*positions):
    generator, shape = torch.Generator().manual_seed(0), (8, 3, *positions)
    return torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)


both_kinds = pytest.mark.parametrize("positions", [(), (2, 5)], ids=["vectors", "images"])


@both_kinds
def test_groups_are_renormalized_each_on_its_own(positions):
    x = inputs(*positions)
    y = layer(2)(x)
    each = torch.cat([layer()(pair) for pair in x.split(2)])
    torch.testing.assert_close(y, each)
    slopes = [torch.autograd.grad((out * x.detach()).sum(), x)[0] for out in (y, each)]
    torch.testing.assert_close(*slopes)
    assert not torch.allclose(y, layer()(x))


@both_kinds
def test_one_group_is_batch_renormalization_and_moves_its_statistics(positions):
    one, whole, x = layer(8), layer(), inputs(*positions)
    torch.testing.assert_close(one(x), whole(x))
    torch.testing.assert_close(one.running_mean, whole.running_mean)
    torch.testing.assert_close(one.running_var, whole.running_var)
    assert not torch.equal(one.running_mean, layer().running_mean)
    torch.testing.assert_close(one.eval()(x), whole.eval()(x))


@both_kinds
def test_statistics_of_groups_move_by_their_average(positions):
    groups, x = layer(2), inputs(*positions)
    groups(x)
    means, deviations = [], []
    for pair in x.detach().split(2):
        over = (0, *range(2, pair.ndim))
        means.append(pair.mean(over))
        deviations.append((pair.var(over, correction=0) + 1e-5).sqrt())
    before, eps = layer(), 1e-5
    mean = 0.99 * before.running_mean + 0.01 * torch.stack(means).mean(0)
    sd = 0.99 * (before.running_var + eps).sqrt() + 0.01 * torch.stack(deviations).mean(0)
    torch.testing.assert_close(groups.running_mean, mean)
    torch.testing.assert_close(groups.running_var, sd**2 - eps)


CONV = RENORM.replace(net="plain", width=4, steps=8)


@pytest.mark.parametrize("run", [SMALL, RENORM, CONV], ids=["batch", "batch_renorm", "conv"])
def test_whole_batches_train_as_ever(run):
    stacked = [r[0].loss for r in GroupTrainer([run], Setting(32)).steps() if r[0]][1:]
    plain = [r.loss for r in Trainer(run, "cpu").steps(looks=False)][1:]
    np.testing.assert_allclose(stacked, plain, rtol=2e-3)


def test_groups_of_batch_norm_are_ghost_batches():
    run = SMALL.replace(steps=6)
    ghost = run.replace(norm="ghost_batch", norm_options={"ghost_size": 8})
    stacked = [r[0].loss for r in GroupTrainer([run], Setting(8)).steps() if r[0]][1:]
    plain = [r.loss for r in Trainer(ghost, "cpu").steps(looks=False)][1:]
    np.testing.assert_allclose(stacked, plain, rtol=1e-3)


def test_a_scale_multiplies_the_initial_weights():
    def weights(scale):
        return GroupTrainer([SMALL], Setting(scale=scale)).net.head.weight

    torch.testing.assert_close(weights(4.0), 4 * weights(1.0))


def test_recomputed_statistics_repair_wrong_ones_and_nothing_is_left_changed():
    trainer = GroupTrainer([SMALL.replace(steps=100)], Setting(8))
    for _ in trainer.steps():
        pass
    norms = [m for m in trainer.net.modules() if hasattr(m, "ghost_size")]
    for norm in norms:
        norm.running_mean += 5
    before = copy.deepcopy(trainer.net.state_dict())
    found = trainer.accuracies("val")
    assert found["running"] < 0.5 < 0.8 < found["recomputed"]
    assert all(torch.equal(before[k], v) for k, v in trainer.net.state_dict().items())
    assert {norm.ghost_size for norm in norms} == {8} and trainer.net.training


def test_a_net_that_diverges_counts_as_a_guess():
    runs = [SMALL.replace(norm="none", norm_options={}, lr=lr) for lr in (1e12, 0.1)]
    broken, fine = microbatches.train_groups(runs, Setting())
    assert broken["diverged_at"] is not None and fine["diverged_at"] is None
    assert broken["test_running"] == broken["train"] == 0.1 < fine["train"]
    assert np.isfinite(broken["loss"])


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: GroupTrainer([SMALL], Setting(5)), "groups of 5 do not divide"),
        (lambda: GroupTrainer([SMALL], Setting(8, "sorted")), "iid, mixed, pure"),
        (lambda: claims.measure("R2", seeds=[1, 700]), r"seeds \[1\] chose the learning rates"),
        (lambda: claims.measure("R3", seeds=[700], groups=[2]), "must contain 4"),
        (lambda: claims.measure("R3", seeds=[700], sizes=[]), "must contain 4"),
        (lambda: claims.measure("R5", seeds=[700], norms=["batch"]), "must contain 'none'"),
    ],
)
def test_bad_input_says_what_is_needed(act, message):
    with pytest.raises(ValueError, match=message):
        act()


def table(scores):
    """Data of a tuning in which the validation accuracy of a rate is given."""
    method, columns = Method("batch"), list(methods.COLUMNS)
    rows = []
    for lr, score in zip(methods.LRS, scores, strict=True):
        measured = dict.fromkeys(methods.MEASURED, 0.0) | {"val_running": score}
        for seed in methods.TUNING_SEEDS:
            key = [getattr(method, name) for name in columns[: columns.index("lr")]]
            rows.append([*key, lr, seed, *measured.values()])
    return {"columns": columns, "rows": rows, "tuning_seeds": list(methods.TUNING_SEEDS)}


def test_the_best_rate_is_that_of_the_validation_images():
    scores = [0.1, 0.2, 0.9, 0.3, 0.2, 0.1]
    assert methods.best_lr(table(scores), Method("batch")) == methods.LRS[2]
    with pytest.raises(KeyError):
        methods.best_lr(table(scores), Method("batch_renorm"))


def parts(name):
    """The evidence of a claim, net by net."""
    data = claims.load(name).data
    return [two_nets.of_net(data, net) for net in data["bases"]] if "bases" in data else [data]


def test_the_whole_grid_is_in_the_evidence_and_its_seeds_are_not_counted():
    at = methods.COLUMNS.index("seed")
    for data in (part for name in ("R2", "R3", "R4", "R5") for part in parts(name)):
        assert len(data["seeds"]) == 16 and not set(data["seeds"]) & set(data["tuning_seeds"])
        counted = {tuple(row[: at - 1]) for row in data["rows"] if row[at] in data["seeds"]}
        places = [tuple(row[: at + 1]) for row in data["rows"] if row[at] in data["tuning_seeds"]]
        tuned = {place[:-2] for place in places}
        lrs = {place[-2] for place in places}
        assert len(lrs) >= 6
        assert set(places) == {
            (*key, lr, seed) for key in tuned for lr in lrs for seed in data["tuning_seeds"]
        }
        assert tuned <= counted


def test_no_best_rate_lies_at_the_edge_of_its_grid_unless_the_net_guesses():
    """R3 and R4; BatchNorm in groups of one class learns at no rate."""
    for data in (part for name in ("R3", "R4") for part in parts(name)):
        keys = {tuple(row[:7]) for row in data["rows"] if row[8] in data["tuning_seeds"]}
        for method in (Method(*key) for key in keys):
            lrs, best = methods.rates(data, method), methods.best_lr(data, method)
            score = methods.select(data, method, best, "val_running", data["tuning_seeds"]).mean()
            assert lrs[0] < best < lrs[-1] or score < 0.25, method
    rows = claims.load("R4").data["constant"]
    best = r4_constant_statistics.best_lr(rows, "pure")
    assert r4_constant_statistics.RATES[0] < best < r4_constant_statistics.RATES[-1]


def test_without_limits_training_is_inference_and_with_them_it_is_not():
    data = r1_identity.measure([3])
    assert r1_identity.values(data)["same"][0] < -12
    assert r1_identity.facts(data)["gradient_largest"] < 1e-9
    limited = r1_identity.measure([3], limits={"r_max": 1.5, "d_max": 0.5})
    assert r1_identity.values(limited)["same"][0] > -2


def test_r_and_d_at_work():
    rows = r3_limits_at_work.watch([RENORM], Setting(4))
    found = [dict(zip(r3_limits_at_work.COLUMNS, row, strict=True)) for row in rows]
    assert [one["step"] for one in found] == [1, 11]
    assert [one["r_max"] for one in found] == [1.0, 1.5]  # of the schedule, step by step
    assert found[0]["r_clipped"] > 0.9 > found[1]["r_clipped"] > 0.05
    assert 0 < found[1]["r_5"] < found[1]["r_50"] < found[1]["r_95"]


def test_r_and_d_are_those_of_the_layer():
    watching, x = r3_limits_at_work.Watch(torch.nn.Sequential(layer(8))), inputs().detach()
    watching.on = True
    norm = watching.norms[0]
    norm(x)
    r, d = watching.seen[0]
    sd = (torch.ones(3, dtype=torch.float64) + 1e-5).sqrt()
    start = torch.tensor([0.5, -1.0, 0.0], dtype=torch.float64)
    np.testing.assert_allclose(r, ((x.var(0, correction=0) + 1e-5).sqrt() / sd).numpy())
    np.testing.assert_allclose(d, ((x.mean(0) - start) / sd).numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ["R2", "R3", "R4", "R5"])
def test_a_few_seeds_with_the_stored_rates(name):
    """What the chapter does: a small table of the same shape, drawn by the same figure."""
    stored = claims.load(name)
    options = {
        "R2": {},
        "R3": {"groups": [4], "sizes": [4], "controls": False},
        "R4": {"controls": False},
        "R5": {},
    }[name]
    # The measurement is replaced by the stored rows: what is tested is what is asked for.
    rows = {(data["base"]["net"], *row[:9]): row for data in parts(name) for row in data["rows"]}
    asked = []

    class Stored(Work):
        def starmap(self, function, items):
            if name in ("R2", "R5"):
                assert function is one_by_one.row
                return [self.row("mlp", *place) for *place, _ in items]
            assert function is methods.rows
            return [
                [self.row(base.net, method, *place) for place in product(*axes)]
                for method, *axes, base in items
            ]

        def row(self, net, method, lr, seed):
            asked.append((net, *astuple(method), lr, seed))
            return rows[asked[-1]]

    seeds = stored.data["seeds"][:2]
    here = claims.measure(name, seeds=seeds, tuning=stored.data, work=Stored(), **options)
    assert asked and {key[9] for key in asked} == set(seeds)
    for effect, found in here.values.items():
        np.testing.assert_array_equal(found, stored.values[effect][:2])
    assert "seeds" in show.plot(here).caption


def test_figures_say_what_they_show():
    r3 = claims.load("R3")
    drawings = four_accuracies(r3), four_accuracies(r3, alone=True), limits(r3), controls(r3)
    for drawing in drawings:
        assert len(drawing.alt) > 100 and "nan" not in drawing.alt
    assert f"{r3.facts['schedule_too_late']:.1f} %" in controls(r3).alt
    assert f"{r3.facts['end_r_95']:.2f}" in limits(r3).alt


def test_text_and_figure_follow_the_evidence(tmp_path, monkeypatch):
    """Change the file, and the sentence of the chapter changes with it."""
    stored, template = claims.load("R4"), "{test_running_batch_pure:.1f}"
    before = float(str(show.say("R4", template)))
    key = ["mlp", *astuple(r4_alike.arranged("batch", "pure"))]
    at, seed = (stored.data["columns"].index(name) for name in ("test_running", "seed"))
    for row in stored.data["rows"]:
        if row[: len(key)] == key and row[seed] in stored.data["seeds"]:
            row[at] += 0.05
    stored.save(tmp_path)
    monkeypatch.setattr(evidence, "results_folder", lambda: tmp_path)
    assert float(str(show.say("R4", template))) == pytest.approx(before + 5, abs=0.11)
    assert f"one class {before + 5:.0f} %" in show.plot(claims.load("R4")).alt


def test_controls_change_one_thing():
    data, _ = parts("R3")
    method, lr = r3_few_samples.controlled(data, "batch", momentum=0.5)
    assert method == Method("batch", samples=4, momentum=0.5)
    assert lr == methods.best_lr(data, Method("batch", samples=4))
    scaled, rate = r5_scale.at(claims.load("R5").data, "none", 4.0)
    assert scaled.scale == 4.0 and rate == methods.best_lr(claims.load("R5").data, Method("none"))


def test_errors_are_compared_by_their_logarithm_and_none_counts_as_half_an_image():
    stored = claims.load("R3").data
    pair = [r3_few_samples.in_groups(norm, 4) for norm in r3_few_samples.RUNNING]
    data = {**stored, "rows": [list(row) for row in stored["rows"]]}
    at = data["columns"].index("test_running")
    for row in data["rows"]:
        row[at] = 0.98 if row[1] == "batch" else 0.99 if row[0] == "mlp" else 1.0
    np.testing.assert_allclose(two_nets.decades(data, "mlp", *pair), np.log10(2))
    pair = [r3_few_samples.in_groups(norm, 4, "conv") for norm in r3_few_samples.RUNNING]
    np.testing.assert_allclose(two_nets.decades(data, "conv", *pair), np.log10(0.02 * 600))


def test_a_share_is_recovered_only_of_what_was_lost():
    stored = claims.load("R4").data
    data = {**stored, "rows": [list(row) for row in stored["rows"]]}
    at = data["columns"].index("test_running")
    alike = data["columns"].index("arrangement")
    for row in data["rows"]:
        batch = {"mixed": 0.98, "two": 0.88, "four": 0.975, "pure": 0.1}
        renorm = {"mixed": 0.98, "two": 0.96, "four": 0.97, "pure": 0.5}
        row[at] = (batch if row[1] == "batch" else renorm).get(row[alike])
    found = r4_alike.facts(data)
    assert found["recovered_two"] == pytest.approx(80) and "recovered_four" not in found
    assert found["lost_batch_renorm_four"] == pytest.approx(1)
