"""Small models, their batches, and a patient that follows an advice."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from bnlab.doctor import Diagnosis, diagnose

FEATURES, WIDTH = 8, 16


@dataclass
class Patient:
    """A model with what ``diagnose`` is told.

    Attributes:
        model: the model.
        batch: what it is called with.
        told: further arguments.
        loader: batches like ``batch``, for the advice.
    """

    model: nn.Module
    batch: object
    told: dict[str, object] = field(default_factory=dict)
    loader: object = None

    def diagnose(self) -> Diagnosis:
        """What the doctor says."""
        return diagnose(self.model, self.batch, **self.told)

    def follow(self, code: str) -> None:
        """Run the code of an advice, as a reader would."""
        names = {
            "torch": torch,
            "nn": nn,
            "model": self.model,
            "optimizer": self.told.get("optimizer"),
            "loader": self.loader or [self.batch],
        }
        with torch.no_grad():
            exec(code, names)
        self.model = names["model"]
        if isinstance(names["loader"], DataLoader):
            self.batch = next(iter(names["loader"]))


def mlp(**options: object) -> nn.Sequential:
    """A net with BatchNorm in '1' and '4'."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(FEATURES, WIDTH),
        nn.BatchNorm1d(WIDTH, **options),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH, bias=False),
        nn.BatchNorm1d(WIDTH, **options),
        nn.ReLU(),
        nn.Linear(WIDTH, 4),
    )


def conv() -> nn.Sequential:
    """A net of convolutions with BatchNorm in '1' and '4'."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )


class Residual(nn.Module):
    """A residual block; its normalizers are ``norm1`` and ``norm2``."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1, self.norm1 = nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.conv2, self.norm2 = nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        branch = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        return torch.relu(x + branch)


class Shared(nn.Module):
    """One BatchNorm for two layers; ``separate`` gives each its own."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(FEATURES, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.norm1 = self.norm2 = nn.BatchNorm1d(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm2(self.second(torch.relu(self.norm1(self.first(x)))))


class Tokens(nn.Module):
    """BatchNorm1d behind a linear layer on (N, T, features)."""

    def __init__(self, positions: int, right: bool = False) -> None:
        super().__init__()
        self.linear, self.right = nn.Linear(FEATURES, WIDTH), right
        self.norm = nn.BatchNorm1d(WIDTH if right else positions)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.linear(x))
        return self.norm(x.transpose(1, 2)).transpose(1, 2) if self.right else self.norm(x)


class FunctionalDropout(nn.Module):
    """Dropout by a function, between a ReLU and a BatchNorm."""

    def __init__(self, p: float) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(FEATURES, WIDTH), nn.Linear(WIDTH, WIDTH, bias=False)
        self.norm, self.p = nn.BatchNorm1d(WIDTH), p

    def forward(self, x: Tensor) -> Tensor:
        x = functional.dropout(torch.relu(self.first(x)), self.p, self.training)
        return self.norm(self.second(x))


def rows(count: int = 64, seed: int = 1, shift: float = 0.0) -> Tensor:
    """Inputs of the nets of linear layers."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, FEATURES, generator=generator) * 2 + 1 + shift


def images(count: int = 16, size: int = 8) -> Tensor:
    """Inputs of the nets of convolutions."""
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def train(model: nn.Module, steps: int = 100, lr: float = 0.1) -> None:
    """Some steps of SGD on random rows, whose class is that of the largest of four features."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for step in range(steps):
        x = rows(seed=100 + step)
        optimizer.zero_grad()
        functional.cross_entropy(model(x), x[:, :4].argmax(1)).backward()
        optimizer.step()


def trained(momentum: float = 0.1, steps: int = 100) -> nn.Module:
    """A trained net."""
    model = mlp(momentum=momentum)
    train(model, steps)
    return model
