"""Nets for the tests of signals and shift, and what ought to come out, from the formulas."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.norms import make_norm


class Residual(nn.Module):
    """As in many a published net: the ReLU and the addition of the shortcut overwrite."""

    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.seen = {}

    def forward(self, x):
        out = self.relu(self.norm1(self.conv1(x)))
        self.seen["first"] = out.clone()
        self.seen["conv2"] = out = self.conv2(out)
        out = self.norm2(out)
        self.seen["second"] = out.clone()
        out += x
        return self.relu(out)


def seeded(seed=0):
    torch.manual_seed(seed)


def foreign_net():
    """A net that is not of this package, with places that are written over. float64."""
    with torch.random.fork_rng():
        seeded()
        return nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1),
            Residual(3),
            Residual(3),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(3, 10),
        ).double()


def busy_net():
    """Everything that a measurement must leave alone. float32, 4 inputs, 3 outputs."""
    with torch.random.fork_rng():
        seeded(1)
        norms = [make_norm("batch", 6), nn.BatchNorm1d(6), make_norm("noisy_batch", 6)]
        net = nn.Sequential(nn.Linear(4, 6), *norms, nn.ReLU(inplace=True), nn.Dropout(0.3))
        net.append(nn.Linear(6, 3))
        x, y = torch.randn(8, 4), torch.arange(8) % 3
        cross_entropy(net(x), y).backward()
    net[1].eval()
    net[0].bias.requires_grad_(False)
    return net, x, y


def everything(net):
    """All that may not change, as comparable values."""
    tensors = [*net.parameters(), *net.buffers(), *(p.grad for p in net.parameters())]
    return (
        [None if t is None else t.clone() for t in tensors],
        [p.requires_grad for p in net.parameters()],
        [m.training for m in net.modules()],
        [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in net.modules()],
        torch.get_rng_state(),
    )


def same(a, b):
    """Whether two results of ``everything`` agree bit for bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def statistics(output):
    """The fields of ``Signals`` from the formulas, for outputs (N, C) or (N, C, H, W)."""
    a = output.detach().double().numpy()
    n, c = a.shape[:2]
    a = a.reshape(n, c, -1)
    means = [a[:, k].mean() for k in range(c)]
    within = np.mean([np.mean((a[:, k] - means[k]) ** 2) for k in range(c)])
    flat = a.reshape(n, -1)
    length = [np.sqrt(sum(v**2)) for v in flat]
    cosines = [
        flat[i] @ flat[j] / (length[i] * length[j]) if length[i] * length[j] else 0.0
        for i in range(n)
        for j in range(n)
        if i != j
    ]
    unit = np.array([v / size if size else v for v, size in zip(flat, length, strict=True)])
    return {
        "mean": a.mean(),
        "variance": within,
        "channel_spread": np.var(means) / np.mean((a - a.mean()) ** 2),
        "cosine": np.mean(cosines),
        "stable_rank": (flat**2).sum() / np.linalg.norm(flat, 2) ** 2,
        "unit_stable_rank": (unit**2).sum() / np.linalg.norm(unit, 2) ** 2,
        "dead": np.mean([not a[:, k].any() for k in range(c)]),
    }
