"""A probe of the loss leaves net and random state bit-identical, also when it is interrupted."""

import pytest
import torch

from bnlab.measure.landscape.directions import (
    filter_normalized,
    gradient_direction,
    random_direction,
)
from bnlab.measure.landscape.gradient_identity import measure_gradient_identity
from bnlab.measure.landscape.heat_map import measure_relative_loss
from bnlab.measure.landscape.landscape import measure_landscape
from bnlab.measure.landscape.slices import measure_line_slice, measure_plane_slice
from bnlab.measure.landscape.step_moments import measure_step_moments
from bnlab.measure.rates.stability import measure_stable_rate
from tests.measure.landscape.landscape_cases import batch, cross_entropy, dropout_net, kept


def plane(net, loss, x, y):
    d = filter_normalized(net, random_direction(net, 1))
    return measure_plane_slice(net, loss, x, y, (d, random_direction(net, 2)), [0, 1], [0, 1])


MEASUREMENTS = {
    "landscape": lambda n, f, x, y: measure_landscape(n, f, x, y, [0.1, 10.0]),
    "landscape in eval": lambda n, f, x, y: measure_landscape(n, f, x, y, [0.1, 1], "eval"),
    "gradient": gradient_direction,
    "line": lambda n, f, x, y: measure_line_slice(n, f, x, y, random_direction(n), [0, 1.0]),
    "plane": plane,
    "relative loss": lambda n, f, x, y: measure_relative_loss(n, f, [(x, y)] * 2, [0.1, 1]),
    "moments": lambda n, f, x, y: measure_step_moments(n, f, x, y, 0.5),
    "identity": lambda n, f, x, y: measure_gradient_identity(n, f, x, y, "2"),
    "rate": lambda n, f, x, y: measure_stable_rate(n, f, [(x, y)], 0.1, 1, steps=2),
}


class Stops:
    """A loss that raises at call number ``at``."""

    def __init__(self, at, error):
        self.left, self.error = at, error

    def __call__(self, output, target):
        self.left -= 1
        if self.left < 0 and self.error:
            raise self.error("stop")
        return cross_entropy(output, target)


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("name", MEASUREMENTS)
def test_the_net_is_as_it_was(name, error):
    net, (x, y) = dropout_net(), batch()
    at = 0 if name in ("identity", "gradient") else 2
    with kept(net):
        if error is None:
            MEASUREMENTS[name](net, Stops(99, None), x, y)
        else:
            with pytest.raises(error, match="stop"):
                MEASUREMENTS[name](net, Stops(at, error), x, y)


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_the_batch_is_as_it_was(name):
    net, (x, y) = dropout_net(), batch()
    x.requires_grad_()
    values = x.detach().clone()
    MEASUREMENTS[name](net, cross_entropy, x, y)
    assert x.grad is None and torch.equal(x, values)


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_what_all_refuse(name):
    net, (x, y) = dropout_net(), batch()
    with pytest.raises(ValueError, match="loss must give a scalar, got shape"):
        MEASUREMENTS[name](net, lambda a, b: a, x, y)
    # torch's layer says so in its own words, bnlab's in others.
    if name != "landscape in eval":
        with pytest.raises(ValueError, match=r"more than (one|1) value"):
            MEASUREMENTS[name](net, cross_entropy, x[:1], y[:1])
    with torch.no_grad():
        net[-1].weight[1, 1] = float("nan")
    with pytest.raises(ValueError, match=r"6\.weight|7\.weight|5\.weight"):
        MEASUREMENTS[name](net, cross_entropy, x, y)


@pytest.mark.parametrize("name", [n for n in MEASUREMENTS if n != "identity"])
def test_a_net_without_gradients_is_refused(name):
    net, (x, y) = dropout_net().requires_grad_(False), batch()
    with pytest.raises(ValueError, match=r"requires_grad_\(True\)"):
        MEASUREMENTS[name](net, cross_entropy, x, y)
