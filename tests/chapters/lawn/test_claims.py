"""What LW1 to LW4 measure: methods, grids, what is seen of a training, what follows from it."""

import numpy as np
import pytest
import torch

from bnlab import claims, show
from bnlab.chapters.lawn import (
    gains,
    lw1_growth,
    lw2_held,
    lw3_optimizers,
    lw4_large_batches,
    methods,
)
from bnlab.chapters.lawn.methods import ALONE, BASE, DECAY, DECOUPLED, LAWN, Method, Place
from bnlab.chapters.lawn.seen import along
from bnlab.chapters.lawn.watch import ENDS, SEEN, ended, watched
from bnlab.optim import constrained_weights, tangent
from bnlab.train import train
from bnlab.verdicts.work import HERE

SMALL = BASE.replace(width=8, steps=20, eval_every=2)
ADAM = Method("adam")


def test_a_free_phase_is_a_share_of_the_training_whatever_the_batch():
    full, small = (Method("adam", LAWN, size).run(BASE, 0.01, 0.1, 3) for size in (1197, 32))
    assert full.optimizer_options["free_steps"] == 30
    assert small.optimizer_options["free_steps"] == 30 * 37
    assert small.steps * small.batch_size == pytest.approx(full.steps * full.batch_size, rel=0.02)
    assert full.steps // full.eval_every == small.steps // small.eval_every


def test_methods_differ_in_nothing_but_the_optimizer():
    runs = [Method("sgd", how).run(BASE, 0.1, 0.01, 3) for how in (ALONE, DECAY, LAWN)]
    assert [run.optimizer for run in runs] == ["sgd", "sgd", "lawn_sgd"]
    assert all(run.optimizer_options["momentum"] == 0.9 for run in runs)
    assert len({run.replace(optimizer="sgd", optimizer_options={}) for run in runs}) == 1


def test_decoupled_decay_is_adamw_and_the_others_are_what_the_run_says():
    trainer = Method("adam", DECOUPLED).trainer(SMALL, 0.01, 3.0, 0)
    assert isinstance(trainer.optimizer, torch.optim.AdamW)
    assert trainer.optimizer.param_groups[0]["weight_decay"] == 3.0
    alone = ADAM.trainer(SMALL, 0.01, 0.0, 0)
    assert type(alone.optimizer) is torch.optim.Adam


def test_the_end_of_a_training_is_that_of_its_history():
    found = dict(zip(ENDS, ended(ADAM.trainer(SMALL, 0.01, 0.0, 0)), strict=True))
    history = train(ADAM.run(SMALL, 0.01, 0.0, 0), device="cpu")
    assert found["test"] == pytest.approx(history.test_accuracy, abs=1e-5)
    assert found["val"] == pytest.approx(history.val_accuracy[-1], abs=1e-5)
    assert found["stopped_val"] == pytest.approx(history.val_accuracy.max(), abs=1e-5)
    at = history.step[history.val_accuracy.argmax()] / SMALL.steps
    assert found["stopped_at"] == pytest.approx(at, abs=1e-5)
    assert found["diverged_at"] is None


def test_a_net_that_diverges_counts_as_a_guess():
    run = SMALL.replace(steps=10)
    found = dict(zip(ENDS, ended(Method("sgd").trainer(run, 1e9, 0.0, 0)), strict=True))
    assert found["diverged_at"] is not None
    assert found["test"] == found["val"] == 0.1


def test_what_is_seen_leaves_the_training_as_it_is():
    place = Place(Method("adam", LAWN), 0.01, 0.1)
    trainer = place.method.trainer(SMALL, place.lr, place.amount, 0)
    found = watched(trainer)
    assert set(found) == set(SEEN) and found["step"] == [*range(0, 21, 2)]
    history = train(place.method.run(SMALL, place.lr, place.amount, 0), device="cpu")
    np.testing.assert_allclose(found["val"], history.val_accuracy, atol=1e-5)
    assert np.ptp(found["weights"][1:]) < 1e-3 * found["weights"][1]  # held after two free steps
    assert found["weights"][0] != found["weights"][1]
    assert found["moved"][0] == 0 < min(found["moved"][1:])


def test_the_gradient_is_that_of_the_loss_and_its_tangent_part_lacks_what_lies_along():
    trainer = Method("adam", LAWN).trainer(SMALL.replace(steps=2), 0.01, 0.0, 0)
    found = watched(trainer)
    _, _, flat = trainer.gradient(*trainer.part("train"))
    assert found["gradient"][-1] == pytest.approx(np.linalg.norm(flat), rel=1e-4)
    parts = torch.tensor(flat).split([p.numel() for p in trainer.net.parameters()])
    held = {id(one) for one in constrained_weights(trainer.net)}
    across = [
        tangent(part.view_as(p), p.detach()).flatten() if id(p) in held else part
        for p, part in zip(trainer.net.parameters(), parts, strict=True)
    ]
    assert found["tangent"][-1] == pytest.approx(float(torch.cat(across).norm()), rel=1e-4)
    assert found["tangent"][-1] < found["gradient"][-1]


def table(scores, seeds=(900,)):
    """Data in which the accuracies of some places are given, the same for all seeds."""
    rows = []
    for place, score in scores.items():
        for seed in (*methods.TUNING_SEEDS, *seeds):
            ends = dict.fromkeys(ENDS, score)
            rows.append([*place.wanted().values(), seed, *ends.values()])
    columns = list(methods.COLUMNS)
    return {"columns": columns, "rows": rows, "seeds": list(seeds)}


def test_a_rate_that_is_given_leaves_the_free_phase_to_choose():
    lawn = Method("adam", LAWN)
    scores = {Place(lawn, *at): 0.5 for at in lawn.grid}
    first, second = (Place(lawn, lr, amount) for lr, amount in ((0.001, 0.1), (0.01, 1 / 3)))
    scores |= {first: 0.9, second: 0.8}
    assert methods.best(table(scores), lawn) == first
    assert methods.best(table(scores), lawn, 0.01) == second


def test_a_gain_is_that_over_the_optimizer_alone_each_at_its_own_best():
    scores = {}
    for how, top in ((ALONE, 0.90), (LAWN, 0.93)):
        method = Method("sgd", how, 32)
        scores |= {Place(method, *at): 0.3 for at in method.grid}
        scores[Place(method, *method.grid[-1])] = top
    data = table(scores)
    assert gains.gain(data, "sgd", 32) == pytest.approx([0.03])
    assert gains.lead(data, *(Method("sgd", how, 32) for how in (LAWN, ALONE))) == [
        pytest.approx(0.03)
    ]


def test_growth_is_counted_from_the_first_tenth():
    data = lw1_growth.measure([900], tuning=stored("LW1"), controls=False)
    place = lw1_growth.ways(data)["pinned"]
    weights, steps = along(data, place, "weights")[0], along(data, place, "step")[0]
    expected = np.log10(weights[-1] / weights[list(steps).index(30)])
    assert lw1_growth.growth(data, place, "weights") == pytest.approx([expected])


def stored(name):
    return claims.load(name).data


def chooser(name, key):
    """The method of a row, with the grid from which it chooses in a claim."""
    if name == "LW4":
        return lw4_large_batches.method(*key[:3])
    fewer = name == "LW2" and key[1] != ALONE
    return (lw2_held.Fewer if fewer else Method)(*key)


@pytest.mark.parametrize("name", ["LW1", "LW2", "LW3", "LW4"])
def test_no_best_rate_or_decay_of_the_evidence_lies_at_the_edge_of_its_grid(name):
    """A free phase of length zero is no edge; below the least decay lies the optimizer alone.

    At the pinned rate of LW2 the decay is the largest of its grid, and the text says so: a still
    better control could only be further ahead of LAWN.
    """
    data = stored(name)
    keys = {tuple(row[: len(methods.KEYS)]) for row in data["rows"]}
    chosen = [methods.best(data, chooser(name, key)) for key in sorted(keys)]
    if name == "LW2":
        chosen += [p for label, p in lw2_held.ways(data).items() if "pinned" not in label]
    for place in chosen:
        rates, amounts = ({at[k] for at in place.method.grid} for k in (0, 1))
        assert min(rates) < place.lr < max(rates), place
        if place.method.how in (DECAY, DECOUPLED):
            assert place.amount < max(amounts), place


def test_seeds_that_choose_are_not_counted_and_the_whole_grid_is_in_the_evidence():
    for name in ("LW1", "LW2", "LW3", "LW4"):
        data = stored(name)
        assert len(data["seeds"]) == (8 if name == "LW2" else 16)
        assert not set(data["seeds"]) & set(data["tuning_seeds"])
        at = data["columns"].index("seed")
        keys = {tuple(row[: len(methods.KEYS)]) for row in data["rows"]}
        assert all(key[3] for key in keys)  # labels of the grid are wrong
        places = [tuple(row[: at + 1]) for row in data["rows"]]
        for key in keys:
            method = chooser(name, key)
            grid = {(*key, *at, s) for at in method.grid for s in methods.TUNING_SEEDS}
            assert grid <= set(places)
        assert len(places) == len(set(places))


@pytest.mark.parametrize("name", ["LW1", "LW2", "LW3", "LW4"])
def test_figures_say_what_they_show(name):
    drawing = show.plot(claims.load(name))
    assert len(drawing.alt) > 100 and "nan" not in drawing.alt + drawing.caption


def test_a_figure_without_controls_can_be_drawn():
    data = stored("LW2")
    few = {**data, "controls": False}
    assert set(lw2_held.ways(few)) < set(lw2_held.ways(data))
    assert lw2_held.facts(few)["gain_own"] == lw2_held.facts(data)["gain_own"]


def test_seeds_that_chose_are_refused():
    with pytest.raises(ValueError, match=r"seeds \[3\] chose the learning rates"):
        lw3_optimizers.measure([3, 900])
    with pytest.raises(ValueError, match="made with another Run"):
        lw3_optimizers.measure([900], tuning=stored("LW3"), base=SMALL)


def test_the_work_is_a_part_for_each_place():
    place = Place(ADAM, 0.01)
    rows = methods.trained(HERE, SMALL, [place, place], (20, 21))
    assert [row[methods.COLUMNS.index("seed")] for row in rows] == [20, 21]
