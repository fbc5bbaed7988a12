"""Trainings of a measurement: one thread wherever they are done, by an engine that is named."""

import types

import pytest
import torch

from bnlab.sweep import processes
from bnlab.train import Run
from bnlab.verdicts import trainings
from bnlab.verdicts.work import HERE

RUN = Run(depth=1, width=4, batch_size=4, steps=2)


def test_a_training_takes_one_thread_and_leaves_the_number_as_it_was(monkeypatch):
    def fake(run, engine, device):
        return types.SimpleNamespace(to_dict=lambda: {"threads": torch.get_num_threads()})

    monkeypatch.setattr(trainings, "train", fake)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert trainings.train_one(RUN, "torch", "cpu") == {"threads": 1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_worker_takes_one_thread():
    with processes(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 1


def test_what_trains_is_not_left_to_the_machine():
    with pytest.raises(ValueError, match="use one of torch, compiled in place of 'fastest'"):
        trainings.train_all(HERE, [RUN], "fastest")
    (history,) = trainings.train_all(HERE, [RUN])
    assert history.engine == "torch" and len(history.loss) == 2
