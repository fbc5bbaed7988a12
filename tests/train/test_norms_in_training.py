"""Every normalizer trains in every kind of net, by ``train``, with what a Run can say."""

import numpy as np
import pytest

from bnlab.norms import NORMS
from bnlab.train import Run, train

SMALL = Run(net="plain", depth=2, width=8, batch_size=30, steps=30, eval_every=15, lr=0.1)
OPTIONS = {
    "ghost_batch": {"ghost_size": 10},
    "batch_renorm": {"momentum": 0.2, "schedule": {"warmup": 10, "r_end": 30, "d_end": 20}},
    "group": {"group_size": 4},
    "evonorm_s0": {"group_size": 4},
}


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("net", ["plain", "mlp", "resnet"])
def test_it_trains_and_the_same_run_gives_the_same_bits(name, net):
    if (net, name) == ("mlp", "instance"):
        pytest.skip("undefined")
    options = dict(OPTIONS.get(name, {}))
    if (net, name) == ("mlp", "filter_response"):
        options["learnable_eps"] = True
    run = SMALL.replace(net=net, norm=name, norm_options=options)
    history, again = train(run, device="cpu"), train(run, device="cpu")
    assert history.diverged_at is None
    assert np.isfinite(history.loss).all()
    assert history.loss[-10:].mean() < history.loss[:10].mean()
    assert history.loss.tobytes() == again.loss.tobytes()
    assert history.val_accuracy.tobytes() == again.val_accuracy.tobytes()


def test_the_noise_of_noisy_batch_follows_the_seed_of_the_run():
    losses = [
        train(
            SMALL.replace(norm="noisy_batch", norm_options={"noise_seed": seed}), device="cpu"
        ).loss
        for seed in (0, 1)
    ]
    assert losses[0][0] != losses[1][0]
