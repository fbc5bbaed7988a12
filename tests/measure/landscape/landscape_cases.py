"""What the tests of the probes share: nets, batches, and a look at everything a net holds."""

import contextlib
import copy

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.nets import make_net
from bnlab.norms import make_norm

__all__ = ["KINDS", "batch", "cross_entropy", "dropout_net", "kept", "small_net", "weights_at"]

KINDS = ["none", "batch", "noisy_batch", "layer", "batch_renorm"]


def batch(seed=0, size=12):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(size, 1, 3, 3, generator=generator, dtype=torch.float64)
    return x, torch.arange(size) % 4


def small_net(norm, seed=0):
    return make_net("mlp", (1, 3, 3), 4, depth=2, width=6, norm=norm, seed=seed).double()


def dropout_net():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        norms = [nn.BatchNorm1d(5), make_norm("noisy_batch", 5), nn.Dropout(0.4), nn.ReLU()]
        return nn.Sequential(nn.Flatten(), nn.Linear(9, 5), *norms, nn.Linear(5, 4)).double()


def weights_at(net, direction, t):
    """A copy of the net at w + t d."""
    twin = copy.deepcopy(net)
    with torch.no_grad():
        for name, p in twin.named_parameters():
            p += t * direction[name]
    return twin


@contextlib.contextmanager
def kept(net):
    """Fail unless everything the net holds, and torch's random state, is as before."""
    net.get_parameter(next(n for n, _ in net.named_parameters())).grad = torch.ones_like(
        next(net.parameters())
    )
    next(m for m in net.modules() if isinstance(m, nn.Linear)).eval()
    tensors = [*net.parameters(), *net.buffers(), next(net.parameters()).grad]
    values = [t.detach().clone() for t in tensors]
    modes = [m.training for m in net.modules()]
    wants = [p.requires_grad for p in net.parameters()]
    generator = torch.get_rng_state()
    yield
    after = [*net.parameters(), *net.buffers(), next(net.parameters()).grad]
    assert all(a is b for a, b in zip(after, tensors, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(after, values, strict=True))
    assert [p.grad is None for p in net.parameters()] == [False] + [True] * (len(wants) - 1)
    assert [m.training for m in net.modules()] == modes
    assert [p.requires_grad for p in net.parameters()] == wants
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    assert torch.equal(torch.get_rng_state(), generator)
