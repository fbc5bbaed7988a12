"""Which modules look at other samples, known from their definitions."""

import pytest
import torch
from torch import nn

from bnlab.measure.kit.dependence import measure_dependence
from bnlab.norms import NORMS, make_norm

OPTIONS = {
    "group": {"group_size": 2},
    "evonorm_s0": {"group_size": 2},
    "ghost_batch": {"ghost_size": 2},
}
ALONE = {"none", "layer", "group", "instance", "rms", "filter_response", "evonorm_s0"}


def batches():
    return torch.randn(2, 4, 4, 3, 3, generator=torch.Generator().manual_seed(0)).double()


@pytest.mark.parametrize("name", NORMS)
def test_by_definition(name):
    norm = make_norm(name, 4, **OPTIONS.get(name, {})).double()
    norm.train()(batches()[0] + 1)  # statistics that are not those of the start
    found = measure_dependence(norm, *batches())
    assert found.eval == 0
    if name in ALONE:
        assert found.train == found.modes == 0
    elif name == "batch_renorm":  # unclipped: both modes are one function
        assert found.train < 1e-12 and found.modes < 1e-12
    else:
        assert found.train > 1e-3 and found.modes > 1e-3


def test_the_numbers_are_the_changes():
    norm, x = make_norm("batch", 1, eps=0.0), torch.tensor([[1.0], [3.0]])
    found = measure_dependence(norm, x, torch.tensor([[9.0], [1.5]]))
    assert found.train < 1e-6  # still the smaller one of two: -1
    found = measure_dependence(norm, x, -x)
    assert found.train == pytest.approx(2)  # now the larger one
    assert found.modes == pytest.approx(2)  # from 1 and 3 to -1 and 1


def test_the_module_and_the_random_state_stay():
    norm, x = nn.BatchNorm2d(4).double(), batches()
    before, state = {k: v.clone() for k, v in norm.state_dict().items()}, torch.get_rng_state()
    measure_dependence(norm, *x)
    assert all(torch.equal(before[k], v) for k, v in norm.state_dict().items())
    assert torch.equal(state, torch.get_rng_state()) and norm.training


@pytest.mark.parametrize("shapes", [((1, 2), (1, 2)), ((3, 2), (4, 2))])
def test_bad_batches(shapes):
    with pytest.raises(ValueError, match="one shape and two samples or more"):
        measure_dependence(nn.Identity(), *(torch.zeros(shape) for shape in shapes))
