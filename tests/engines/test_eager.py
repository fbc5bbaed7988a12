"""The PyTorch engine: how the weights of convolutions lie in memory."""

import numpy as np
import pytest
import torch

from bnlab.data import DATASETS, Dataset
from bnlab.norms import NORMS
from bnlab.train import Run, Trainer

OPTIONS = {
    "ghost_batch": {"ghost_size": 4},
    "group": {"group_size": 2},
    "evonorm_s0": {"group_size": 2},
}
SMALL = Run(depth=3, width=4, batch_size=8, steps=3, lr=0.1, precision="float64")


@pytest.fixture
def larger(monkeypatch) -> str:
    """The name of a data set with images of 16 x 16."""
    numbers = np.random.default_rng(0)
    parts = []
    for count in (32, 8, 8):
        parts += [numbers.normal(size=(count, 3, 16, 16)).astype(np.float32)]
        parts += [numbers.integers(0, 10, count)]
    monkeypatch.setitem(DATASETS, "cifar10", lambda split_seed: Dataset("cifar10", 10, *parts))
    return "cifar10"


def losses(run: Run) -> list[float]:
    trainer = Trainer(run, "cpu")
    trainer.net.train()
    return [trainer.update(numbers, k + 1)[0] for k, numbers in enumerate(trainer.batches)]


@pytest.mark.parametrize("net", ["plain", "resnet"])
@pytest.mark.parametrize("norm", NORMS)
def test_the_layout_in_memory_changes_no_number_beyond_rounding(larger, monkeypatch, net, norm):
    options = {"eps": 1e-3, **OPTIONS.get(norm, {})} if norm != "none" else {}
    run = SMALL.replace(data=larger, net=net, norm=norm, norm_options=options)
    last = losses(run)
    monkeypatch.setattr(Trainer, "_memory_format", lambda self: torch.preserve_format)
    np.testing.assert_allclose(last, losses(run), rtol=1e-9)


def test_convolutions_of_larger_images_have_their_channels_last_and_of_small_ones_not(larger):
    for data, want in ((larger, True), ("digits", False)):
        net = Trainer(SMALL.replace(data=data, net="plain"), "cpu").net
        last = [p.is_contiguous(memory_format=torch.channels_last) for p in _filters(net)]
        first = [p.is_contiguous() for p in _filters(net)]
        # Filters for one channel are both.
        assert (all(last), all(first)) == (want, not want)


def _filters(net):
    return [p for p in net.parameters() if p.ndim == 4]
