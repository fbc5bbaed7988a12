"""T2 in the widget: the Runs are those that the evidence counts, at the rates that it chose."""

import pytest
import torch
from torch import nn

from bnlab import claims
from bnlab.chapters.clinic.t2_tiny_batches import IMAGES, POOLING, SIZES
from bnlab.lab.clinic.t2 import CARD, INSTEAD, LOOK, RATES, refusal, t2_run, t2_trainings
from bnlab.train import Run, train
from bnlab.verdicts.race import best_lr
from tests.lab.kit.heard import collected

NETS = [(norm, size) for norm in RATES for size in SIZES if size > 1 or norm not in POOLING]


def state(size, instead="group", **changes):
    seed = CARD.seeds[0]
    return {"batch_size": size, "instead": instead, "seed": seed, "repaired": True, **changes}


def end(curve):
    return curve["accuracy"][-1][1]


@pytest.mark.parametrize(("norm", "size"), NETS)
def test_the_rates_are_those_that_the_evidence_chose(norm, size):
    data = claims.load("T2").data
    assert RATES[norm][size] == best_lr(data, f"{norm}_{size}")
    run = t2_run(norm, size, CARD.seeds[1])
    assert run.steps * run.batch_size == IMAGES and run.seed in data["seeds"]
    base = Run.from_dict(data["base"])
    assert run.replace(eval_every=run.steps).to_dict() == {
        **base.to_dict(),
        **{key: run.to_dict()[key] for key in ("norm", "norm_options", "batch_size", "steps")},
        **{"lr": run.lr, "seed": run.seed, "eval_every": run.steps},
    }


def test_every_rate_is_needed():
    assert sum(len(of) for of in RATES.values()) == len(NETS)


@pytest.mark.parametrize("size", SIZES)
def test_points_are_those_of_the_runs(size):
    found = collected(t2_trainings(state(size), "compiled"))
    history = train(t2_run("group", size, CARD.seeds[0]), "compiled")
    assert [v for _, v in found["group"]["accuracy"]] == history.val_accuracy.tolist()
    assert [x for x, _ in found["group"]["accuracy"]] == list(range(0, IMAGES + 1, LOOK))
    assert [x for x, _ in found["group"]["loss"]] == list(range(LOOK, IMAGES + 1, LOOK))
    last = history.loss[-(LOOK // size) :]
    assert found["group"]["loss"][-1][1] == pytest.approx(sum(last) / len(last), rel=1e-12)


@pytest.mark.parametrize("seed", CARD.seeds)
def test_symptom_and_repairs_are_seen_with_every_seed(seed):
    for instead in INSTEAD:
        found = collected(t2_trainings(state(2, instead, seed=seed), "compiled"))
        assert end(found["batch"]) < 0.6 and end(found[instead]) > end(found["batch"]) + 0.1
    found = collected(t2_trainings(state(8, seed=seed), "compiled"))
    assert end(found["batch"]) > 0.9 and end(found["group"]) > 0.9


@pytest.mark.parametrize("instead", INSTEAD)
def test_a_batch_of_one_is_refused_by_what_pools_over_the_batch(instead):
    found = collected(t2_trainings(state(1, instead), "compiled"))
    refused = {name for name, curve in found.items() if "refused" in curve}
    assert refused == {"batch", instead} & set(POOLING)
    for name in refused:
        curve = found[name]
        assert curve["refused"] == "Expected more than 1 value per channel when training"
        assert curve["done"] and not curve["accuracy"] and not curve["loss"]


def test_the_refusal_is_what_pytorch_says():
    with pytest.raises(ValueError, match=refusal()):
        nn.BatchNorm1d(64)(torch.zeros(1, 64))
