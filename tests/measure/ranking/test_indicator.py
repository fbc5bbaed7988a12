"""The BN indicator against trained subnets: scores, sizes, ceiling, and what is refused."""

import itertools

import numpy as np
import pytest
import torch

from bnlab.measure import measure_indicator
from bnlab.measure.ranking.indicator import INDICATOR, LAYERS, SIZE
from bnlab.nets import initialize
from bnlab.nets.supernet import Supernet

OPS = ("k3e1", "k5e2", "identity")
SHAPE = (1, 4, 4)
PATHS = list(itertools.product(range(3), repeat=2))


def supernet(seed=0, **options):
    with torch.random.fork_rng(devices=[]):
        net = Supernet(SHAPE, 10, 2, 4, **{"ops": OPS, **options})
    initialize(net, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in net.named_parameters():
            if name.endswith("norm3.weight"):
                p.copy_(torch.randn(p.shape, generator=generator))
    return net


def truth(seed=0):
    return np.random.default_rng(seed).normal(size=(3, len(PATHS)))


def by_hand(net, path):
    """Mean absolute scale of the last normalizer; multiply-accumulates, from the shapes."""
    score, size = 0.0, 4 * 9 * 16 + 4 * 10  # stem and head
    for choice, op in zip(net.choices, path, strict=True):
        if OPS[op] != "identity":
            scale = choice[op].norm3.weight.tolist()
            score += sum(map(abs, scale)) / len(scale)
            kernel, inner = {"k3e1": (3, 4), "k5e2": (5, 8)}[OPS[op]]
            size += 16 * (4 * inner + inner * kernel**2 + inner * 4)
    return score, size


def test_scores_sizes_and_taus():
    nets, measured = [supernet(0), supernet(1)], truth()
    before = {name: value.clone() for name, value in nets[0].state_dict().items()}
    mine = np.random.default_rng(5).normal(size=len(PATHS))
    found = measure_indicator(nets, PATHS, measured, SHAPE, others={"mine": mine})
    assert all(torch.equal(before[name], value) for name, value in nets[0].state_dict().items())
    scores = np.array([[by_hand(net, path)[0] for path in PATHS] for net in nets])
    sizes = np.array([by_hand(nets[0], path)[1] for path in PATHS])
    np.testing.assert_allclose(found.scores, scores, rtol=1e-6)
    assert found.macs.tolist() == sizes.tolist()

    def tau(rows, others):
        pairs = list(itertools.combinations(range(len(PATHS)), 2))
        signs = [[np.sign(v[i] - v[j]) for i, j in pairs] for v in (*rows, *others)]
        return np.mean(np.array(signs[: len(rows)]) @ np.array(signs[len(rows) :]).T) / len(pairs)

    layers = [sum(op != 2 for op in path) for path in PATHS]  # 2 is the identity
    wanted = {INDICATOR: scores, LAYERS: [layers], SIZE: [sizes], "mine": [mine]}
    assert list(found.agreement) == list(wanted)
    for name, rows in wanted.items():
        assert found.agreement[name].tau == pytest.approx(tau(rows, measured), rel=1e-12), name
    left_out = [(measured[s], np.delete(measured, s, 0).mean(0)) for s in range(3)]
    assert found.ceiling.tau == pytest.approx(np.mean([tau([a], [b]) for a, b in left_out]))
    assert found.beyond_size.tau == pytest.approx(tau(scores, measured) - tau([sizes], measured))
    assert found.size_in_score.tau == pytest.approx(tau(scores, [sizes]), rel=1e-12)


def test_one_net_an_order_that_follows_its_score():
    net = supernet()
    scores = np.array([by_hand(net, path)[0] for path in PATHS])
    found = measure_indicator(net, PATHS, np.stack([scores, scores**3]), SHAPE)
    assert found.agreement[INDICATOR].tau == found.ceiling.tau == 1
    assert found.scores.shape == (1, len(PATHS))
    assert found.beyond_size.tau == 1 - found.agreement[SIZE].tau


def test_before_training_the_indicator_counts_layers():
    with torch.random.fork_rng(devices=[]):
        net = Supernet(SHAPE, 10, 2, 4, ops=OPS)
    found = measure_indicator(net, PATHS, truth(), SHAPE).agreement
    assert found[INDICATOR].tau == found[LAYERS].tau != 0
    assert (found[INDICATOR].low, found[INDICATOR].high) == (found[LAYERS].low, found[LAYERS].high)


def test_the_figure_says_what_it_shows():
    found = measure_indicator([supernet(0), supernet(1)], PATHS, truth(), SHAPE)
    figure = found.plot()
    ceiling = found.ceiling
    title = f"Indicator {found.agreement[INDICATOR].tau:.2f}, ceiling {ceiling.tau:.2f}"
    assert title.replace("-", "−") in figure.svgs[0].replace("-", "−")
    for text in (f"{INDICATOR} {found.agreement[INDICATOR]}", f"ceiling is {ceiling}", "9 subnets"):
        assert text in figure.alt
    assert "2 supernets and 3 seeds" in figure.caption


def broken():
    net = supernet()
    with torch.no_grad():
        net.head.weight[0, 0] = torch.nan
    return net


@pytest.mark.parametrize(
    "change, message",
    [
        ({"nets": []}, "one or more supernets with the same operations"),
        ({"nets": [supernet(), supernet(ops=("k3e1", "k5e2"))]}, "with the same operations"),
        ({"nets": broken()}, "'head.weight' holds NaN"),
        ({"nets": supernet(affine=False)}, "reads the weights of the normalizers"),
        ({"paths": [*PATHS[:-1], PATHS[0]]}, "a path is given twice"),
        ({"paths": [(0, 3)] * 9}, "a path of this net has 2 integers"),
        ({"truth": truth()[:, :8]}, "8 columns for 9 paths"),
        ({"truth": truth()[:1]}, "two rows or more"),
        ({"others": {"mine": np.zeros(3)}}, "one column a thing"),
    ],
)
def test_bad_input_is_refused(change, message):
    good = {"nets": supernet(), "paths": PATHS, "truth": truth(), "image_shape": SHAPE}
    with pytest.raises(ValueError, match=message):
        measure_indicator(**{**good, **change})
