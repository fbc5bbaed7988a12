"""What ``train`` refuses: at once, before the first record, with what to do."""

import numpy as np
import pytest
import torch

from bnlab.train import Run, make_device, make_optimizer, train, training
from tests.train.bad_runs import BAD_RUNS

SMALL = Run(depth=1, width=8, steps=3, batch_size=8)


BAD_FIELDS = [
    ({"norm": "group", "norm_options": {"group_size": 3}}, "group_size must divide num_features=8"),
    ({"norm": "group", "norm_options": {"group_size": True}}, "group_size must divide"),
    ({"norm": "group"}, "give exactly one of them"),
    ({"norm": "batch", "norm_options": {"momentum": 2}}, "a finite number between 0 and 1"),
    ({"norm": "batch", "norm_options": {"momentum": "0.1"}}, "a finite number between 0 and 1"),
    ({"norm": "batch", "norm_options": {"eps": float("nan")}}, "norm_options must be a dict of"),
    ({"norm": "batch", "norm_options": {"affine": "no"}}, "affine must be True or False"),
    ({"norm": ["batch"]}, "unknown normalizer"),
    ({"data": ["digits"]}, "unknown data"),
    ({"lr": 10**400}, "lr must be a positive, finite number"),
    ({"lr": "0.1"}, "lr must be a positive, finite number"),
]


@pytest.mark.parametrize("changes, message", BAD_FIELDS, ids=[str(c)[:60] for c, _ in BAD_FIELDS])
def test_bad_fields_are_refused_when_the_run_is_written(changes, message):
    with pytest.raises(ValueError, match=message):
        SMALL.replace(**changes)


def test_numpy_numbers_make_the_same_run():
    run = SMALL.replace(seed=np.int64(3), lr=np.float64(0.1), steps=np.int32(3))
    assert run == SMALL.replace(seed=3, lr=0.1)
    assert Run.from_dict(run.to_dict()).key() == run.key()


@pytest.mark.parametrize("fields", [None, "abc", [("lr", 1)]])
def test_fields_that_are_no_dict_are_refused(fields):
    with pytest.raises(ValueError, match="must be a dict"):
        Run.from_dict(fields)


def test_train_takes_a_run():
    with pytest.raises(ValueError, match=r"Use Run\.from_dict"):
        train({"lr": 0.1})


def test_an_explosion_in_the_last_update_is_a_divergence():
    """Its damage shows in no later batch, so the last batch is looked at once more."""
    long = Run(norm="none", depth=12, lr=1.0, steps=20)
    at = train(long, device="cpu").diverged_at
    cut = train(long.replace(steps=at), device="cpu")
    assert cut.diverged_at == at and np.isnan(cut.test_accuracy)


@pytest.mark.parametrize("changes, message", BAD_RUNS, ids=[str(c) for c, _ in BAD_RUNS])
def test_bad_runs_say_what_to_do_before_the_first_record(changes, message):
    run, records = SMALL.replace(**changes), []
    with pytest.raises(ValueError, match=message):
        train(run, on_step=records.append)
    assert records == []
    with pytest.raises(ValueError, match=message):
        training(run)  # without taking a record


def test_the_largest_batch_and_a_batch_of_one_without_batch_norm_train():
    assert len(train(SMALL.replace(batch_size=1197)).loss) == 3
    assert len(train(SMALL.replace(batch_size=1)).loss) == 3


def test_an_unknown_engine():
    with pytest.raises(ValueError, match=r"unknown engine 'troch'\. Did you mean 'torch'\? Known"):
        train(SMALL, engine="troch")


@pytest.mark.parametrize("device", ["meta", "no such device", "cpu:x", ""])
def test_a_device_that_cannot_train(device):
    with pytest.raises(ValueError, match=rf"device '{device}' cannot be used here \(.+\)\."):
        train(SMALL, device=device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch sees a CUDA GPU here.")
def test_a_gpu_that_is_not_there():
    with pytest.raises(ValueError, match=r"device 'cuda' cannot be used here \(.+\)\."):
        train(SMALL, device="cuda")
    assert make_device("auto") == torch.device("cpu")


def test_optimizers():
    net = torch.nn.Linear(2, 1)
    with pytest.raises(ValueError, match="unknown optimizer 'adm'"):
        make_optimizer("adm", net, 0.1)
    with pytest.raises(ValueError, match="unknown option of optimizer 'sgd': 'beta'"):
        make_optimizer("sgd", net, 0.1, beta=1)
    with pytest.raises(ValueError, match="unknown option of optimizer 'lawn_adam': 'weight_decay'"):
        make_optimizer("lawn_adam", net, 0.1, weight_decay=0.1)
    with pytest.raises(ValueError, match="free_steps must be zero, a positive integer or None"):
        make_optimizer("lawn_sgd", net, 0.1, free_steps=-1)
    assert isinstance(make_optimizer("sgd", net, 0.1, momentum=0.9), torch.optim.SGD)
