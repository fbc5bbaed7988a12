"""Small nets of every normalizer, and dense curvature matrices from their definitions."""

import numpy as np
import torch
from torch import nn

from bnlab.norms import NORMS, make_norm

OPTIONS = {
    "ghost_batch": {"ghost_size": 4},
    "group": {"group_size": 2},
    "evonorm_s0": {"group_size": 2},
    "batch_renorm": {"r_max": 1.2, "d_max": 0.3},
}
TORCH = {
    "BatchNorm2d": lambda: nn.BatchNorm2d(4),
    "GroupNorm": lambda: nn.GroupNorm(2, 4),
    "InstanceNorm2d": lambda: nn.InstanceNorm2d(4, affine=True),
}
NAMES = [*NORMS, *TORCH]


def small_net(name: str, mode: str = "train", native: bool = False) -> nn.Sequential:
    """A convolution, the normalizer, tanh, a linear layer; at a point where nothing is special."""
    if name in TORCH:
        norm = TORCH[name]()
    else:
        norm = make_norm(name, 4, native=native, **OPTIONS.get(name, {}))
    net = nn.Sequential(nn.Conv2d(2, 4, 2), norm, nn.Tanh(), nn.Flatten(), nn.Linear(16, 3))
    generator = torch.Generator().manual_seed(len(name))
    with torch.no_grad():
        for key, parameter in net.double().named_parameters():
            numbers = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            start = 1.0 if key == "1.weight" else 0.0
            parameter.copy_(start + 0.5 * numbers)
        for buffer in norm.buffers():
            if buffer.is_floating_point():
                buffer.add_(0.3 * torch.rand(buffer.shape, generator=generator))
    return net.train(mode == "train")


def small_batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(8, 2, 3, 3, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 3, (8,), generator=generator)


def at(net: nn.Module, flat: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The output with other parameters, from one flat vector; the buffers as they are."""
    named = dict(net.named_parameters())
    pieces = flat.split([p.numel() for p in named.values()])
    values = {
        k: piece.reshape(p.shape) for (k, p), piece in zip(named.items(), pieces, strict=True)
    }
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}
    return torch.func.functional_call(net, {**values, **buffers}, (x,))


def flat_parameters(net: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().reshape(-1) for p in net.parameters()])


def dense_hessian(net: nn.Module, loss, x, y) -> np.ndarray:
    flat = flat_parameters(net)
    return torch.autograd.functional.hessian(lambda w: loss(at(net, w, x), y), flat).numpy()


def dense_jacobian(net: nn.Module, x) -> np.ndarray:
    """(outputs, P), a backward pass for each output."""
    flat = flat_parameters(net)
    return torch.autograd.functional.jacobian(lambda w: at(net, w, x).reshape(-1), flat).numpy()


CASES = [(name, mode) for name in NAMES for mode in ("train", "eval")]
