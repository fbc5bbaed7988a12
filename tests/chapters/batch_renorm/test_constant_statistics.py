"""R4's control: the numbers of Batch Renormalization, the gradient of constants."""

import pytest
import torch

from bnlab.chapters.batch_renorm.microbatches import GroupRenorm
from bnlab.chapters.batch_renorm.r4_constant_statistics import ConstantRenorm

GROUP = 4


def layer(kind):
    made = kind(3, r_max=3.0, d_max=5.0).double()
    made.group = GROUP
    with torch.no_grad():
        made.weight.copy_(torch.tensor([1.0, 2.0, 0.5]))
        made.bias.copy_(torch.tensor([0.0, -1.0, 3.0]))
        made.running_mean.copy_(torch.tensor([0.1, 0.0, -0.2]))
        made.running_var.copy_(torch.tensor([0.8, 1.0, 1.3]))
    return made


@pytest.fixture
def x():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3 * GROUP, 3, generator=generator, dtype=torch.float64)


def gradient(made, x, upstream):
    x = x.clone().requires_grad_()
    (made(x) * upstream).sum().backward()
    return x.grad


def test_the_forward_pass_and_the_running_statistics_are_those_of_batch_renormalization(x):
    constant, usual = layer(ConstantRenorm), layer(GroupRenorm)
    torch.testing.assert_close(constant(x), usual(x))
    torch.testing.assert_close(constant.running_mean, usual.running_mean)
    torch.testing.assert_close(constant.running_var, usual.running_var)
    torch.testing.assert_close(constant.eval()(x), usual.eval()(x))


def test_only_constant_statistics_let_a_group_move_as_a_whole(x):
    together = torch.ones_like(x)
    assert gradient(layer(GroupRenorm), x, together).abs().max() < 1e-9
    groups = x.reshape(-1, GROUP, 3)
    made = layer(ConstantRenorm)
    deviation = (groups.var(1, correction=0) + made.eps).sqrt()
    r = (deviation / (made.running_var + made.eps).sqrt()).clamp(1 / 3, 3)
    wanted = (made.weight * r / deviation).repeat_interleave(GROUP, 0).detach()
    torch.testing.assert_close(gradient(made, x, together), wanted)
