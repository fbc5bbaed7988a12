"""The step of LAWN that chapter 10 writes in ten lines is the package's own."""

import json
from pathlib import Path

import pytest
import torch

from bnlab.nets import make_net
from bnlab.optim import LAWN, constrained_weights

PAGE = Path(__file__).parents[3] / "book" / "10_lawn.ipynb"
BASES = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.01),
}


def taught():
    """The cell of the page that defines the step."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    (found,) = [c["source"] for c in cells if "teaching" in c["metadata"].get("tags", ())]
    return "".join(found)


def test_it_has_at_most_ten_lines():
    assert len([line for line in taught().splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("free_steps", [0, 5])
def test_it_takes_the_steps_of_the_package(base, free_steps):
    names = {"torch": torch}
    exec(taught(), names)  # the cell as a reader runs it
    nets = [make_net("mlp", (1, 8, 8), 10, 2, 16, seed=0).double() for _ in range(2)]
    bases = [BASES[base](net.parameters()) for net in nets]
    own = LAWN(bases[1], constrained_weights(nets[1]), free_steps)
    weights = constrained_weights(nets[0])
    generator = torch.Generator().manual_seed(0)
    for step in range(25):
        x = torch.randn(32, 1, 8, 8, generator=generator, dtype=torch.float64)
        y = torch.randint(10, (32,), generator=generator)
        for net in nets:
            net.zero_grad()
            torch.nn.functional.cross_entropy(net(x), y).backward()
        if step == free_steps:
            norms = [weight.detach().norm() for weight in weights]
        if step < free_steps:
            bases[0].step()
        else:
            names["lawn_step"](bases[0], weights, norms)
        own.step()
        for one, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
    for weight, norm in zip(weights, norms, strict=True):
        assert float(weight.detach().norm() / norm) == pytest.approx(1, abs=1e-12)


def test_one_step_by_hand():
    """The page's weight (3, 4) and gradient (1, 2), whose tangent part is (-0.32, 0.24)."""
    names = {"torch": torch}
    exec(taught(), names)
    w = torch.tensor([3.0, 4.0], requires_grad=True)
    w.grad = torch.tensor([1.0, 2.0])
    names["lawn_step"](torch.optim.SGD([w], lr=1.0), [w], [5.0])
    turned = torch.tensor([3.32, 3.76])
    torch.testing.assert_close(w.data, 5 * turned / turned.norm())
