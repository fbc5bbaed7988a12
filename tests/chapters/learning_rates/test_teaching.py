"""The step that chapter 03 writes in ten lines is the package's own, with and without a brake."""

import json
from pathlib import Path

import pytest
import torch

from bnlab.chapters.learning_rates.b10_given_rates import BASE
from bnlab.chapters.learning_rates.helped import Help, HelpedTrainer
from bnlab.data import load
from bnlab.nets import make_net

PAGE = Path(__file__).parents[3] / "book" / "03_learning_rates.ipynb"
LRS = (0.1, 0.2)  # a stack has at least two rates; the first net is looked at


def taught():
    """The cell of the page that defines the step."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    (found,) = [cell for cell in cells if "teaching" in cell["metadata"].get("tags", ())]
    return "".join(found["source"])


def four_losses(longest=None):
    """What the cell after it prints, by net and rate; with the brake of Things to try."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells]
    (source,) = [one for one in sources if "step(net, x, y, lr)" in one and "print(" in one]
    if longest:
        source = source.replace("step(net, x, y, lr)", f"step(net, x, y, lr, longest={longest})")
    told, names = {}, {}
    exec(taught(), names)
    names["print"] = lambda line: told.update([line.split(": loss ")])
    exec(source, names)
    return {name.strip(): float(loss) for name, loss in told.items()}


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("longest", [None, 0.5])
def test_it_takes_the_steps_of_the_package(norm, longest):
    names = {}
    exec(taught(), names)  # the cell as a reader runs it
    base = BASE.replace(norm=norm, depth=3, width=16, precision="float64", seed=3)
    runs = [base.replace(lr=lr) for lr in LRS]
    trainer = HelpedTrainer(runs, [Help(clip=longest)] * 2)
    net = make_net("mlp", (1, 8, 8), 10, 3, 16, norm, seed=3).double()
    data = load("digits")
    x, y = torch.tensor(data.train_x).double(), torch.tensor(data.train_y)
    generator = torch.Generator().manual_seed(0)
    for step in range(1, 11):
        batch = torch.randint(len(y), (64,), generator=generator)
        brake = {} if longest is None else {"longest": longest}
        names["step"](net, x[batch], y[batch], LRS[0], **brake)
        trainer.update(torch.stack([batch] * 2).numpy(), step)
        for one, other in zip(net.parameters(), trainer.nets[0].parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_the_four_losses_tell_the_story_of_the_race_and_the_brake_helps_the_bare_net():
    free = four_losses()
    assert free["none at 0.01"] < free["batch at 0.01"]
    assert free["batch at 0.3"] < 0.2 < 2 < free["none at 0.3"]  # "only BatchNorm learns"
    braked = four_losses(longest=1.0)
    assert braked["batch at 0.3"] < 0.5 * braked["none at 0.3"]  # "more slowly"
    assert braked["none at 0.3"] < 1 < free["none at 0.3"]  # "now learns"
