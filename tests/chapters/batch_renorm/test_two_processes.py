"""SyncBatchNorm in a training that two processes share."""

import numpy as np
import pytest
import torch.distributed as dist

from bnlab.chapters.batch_renorm.two_processes import train_in_two_processes
from bnlab.train import Run

RUN = Run(depth=2, width=16, norm="batch", batch_size=4, steps=12, lr=0.03, precision="float64")
HAS_GLOO = dist.is_available() and dist.is_gloo_available()


@pytest.mark.skipif(not HAS_GLOO, reason="this torch has no gloo backend")
def test_synchronized_it_is_one_process_with_the_whole_batch():
    found = train_in_two_processes(RUN)
    np.testing.assert_allclose(found.synchronized, found.joined, rtol=1e-9)
    assert found.synchronized_accuracy == found.joined_accuracy
    assert np.abs(found.alone - found.joined).max() > 0.1, "else the comparison shows nothing"


@pytest.mark.parametrize(
    ("change", "message"),
    [({"norm": "layer"}, "norm='batch', got 'layer'"), ({"batch_size": 5}, "even.*got 5")],
)
def test_bad_input(change, message):
    with pytest.raises(ValueError, match=message):
        train_in_two_processes(RUN.replace(**change))


def test_without_gloo_it_says_so(monkeypatch):
    monkeypatch.setattr(dist, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="no 'gloo'"):
        train_in_two_processes(RUN)
