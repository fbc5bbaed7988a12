"""What the page writes by hand computes what PyTorch computes: forwards, backwards and folded."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

PAGE = Path(__file__).parents[3] / "book" / "the_layer.ipynb"
CELLS = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
NAMED = {cell["id"]: "".join(cell["source"]) for cell in CELLS}
TAUGHT = ["".join(c["source"]) for c in CELLS if "teaching" in c["metadata"].get("tags", ())]
EXACT = {"rtol": 1e-10, "atol": 1e-12}


def code_lines(source):
    lines = [line.strip() for line in source.splitlines()]
    return [one for one in lines if one and not one.startswith(("#", "from ", "import "))]


def functions():
    """The functions of the page, made by its own cells."""
    names = {"torch": torch}
    for source in TAUGHT:
        exec(source, names)
    exec(NAMED["layer-backward"].partition("x.requires_grad_()")[0], names)
    return names


def collected(norm, layer, shape):
    """The two of them after some batches, with scale and shift that are not those of the start."""
    nn.init.uniform_(norm.weight, 0.5, 2)
    nn.init.normal_(norm.bias)
    for _ in range(5):
        norm(layer(torch.randn(shape, dtype=torch.float64) + 1))
    return layer.eval(), norm.eval()


def test_the_cells_are_short():
    assert len(TAUGHT) == 2 and all(len(code_lines(source)) <= 10 for source in TAUGHT)
    backward = NAMED["layer-backward"].partition("x.requires_grad_()")[0]
    assert len(code_lines(backward)) == 6


def test_forwards_running_statistics_and_gradients_are_those_of_torch():
    torch.manual_seed(0)
    theirs = nn.BatchNorm1d(5).double()
    nn.init.uniform_(theirs.weight, -2, 2)
    nn.init.normal_(theirs.bias)
    own = [p.detach().clone().requires_grad_() for p in (theirs.weight, theirs.bias)]
    running = [torch.zeros(5).double(), torch.ones(5).double()]
    for training in (True, True, False, True, False):
        x = (3 * torch.randn(32, 5, dtype=torch.float64) + 2).requires_grad_()
        wanted = theirs.train(training)(x)
        found = functions()["batch_norm"](x, *own, running, training)
        torch.testing.assert_close(found, wanted, **EXACT)
        dy = torch.randn_like(x)
        gradients = torch.autograd.grad(wanted, [x, theirs.weight, theirs.bias], dy)
        for one, other in zip(torch.autograd.grad(found, [x, *own], dy), gradients, strict=True):
            torch.testing.assert_close(one, other, **EXACT)
        for one, other in zip(running, (theirs.running_mean, theirs.running_var), strict=True):
            torch.testing.assert_close(one, other, **EXACT)


@pytest.mark.parametrize("deviation", [1e-3, 1.0, 30.0])
def test_the_backward_pass_is_that_of_autograd(deviation):
    """Where the variance is no larger than epsilon, too: equation 3 is exact."""
    torch.manual_seed(1)
    names = functions()
    x = (deviation * torch.randn(16, 5, dtype=torch.float64) + 2).requires_grad_()
    gamma, beta = (torch.randn(5, dtype=torch.float64, requires_grad=True) for _ in range(2))
    y = names["batch_norm"](x, gamma, beta, [torch.zeros(5).double(), torch.ones(5).double()], True)
    dy = torch.randn_like(x)
    dx, dgamma, dbeta = torch.autograd.grad(y, [x, gamma, beta], dy)
    own = names["batch_norm_backward"](dy, x, gamma)
    torch.testing.assert_close(own, dx, rtol=1e-8, atol=1e-10 / deviation)
    # "Its two numbers, times m, are the gradients of beta and gamma"
    x_hat = (x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(16 * dy.mean(0), dbeta, **EXACT)
    torch.testing.assert_close(16 * (dy * x_hat).mean(0), dgamma, **EXACT)


@pytest.mark.parametrize("bias", [True, False])
def test_folding_is_that_of_torch_and_changes_no_output(bias):
    torch.manual_seed(2)
    fold = functions()["fold"]
    pairs = [
        (nn.Conv2d(3, 5, 3, padding=1, bias=bias), nn.BatchNorm2d(5), (8, 3, 6, 6)),
        (nn.Linear(7, 5, bias=bias), nn.BatchNorm1d(5), (8, 7)),
    ]
    for layer, norm, shape in pairs:
        layer, norm = collected(norm.double(), layer.double(), shape)
        theirs = fuse_conv_bn_eval if isinstance(layer, nn.Conv2d) else fuse_linear_bn_eval
        before = [p.detach().clone() for p in layer.parameters()]
        one, wanted = fold(layer, norm), theirs(layer, norm)
        torch.testing.assert_close(one.weight, wanted.weight, **EXACT)
        torch.testing.assert_close(one.bias, wanted.bias, **EXACT)
        x = torch.randn(shape, dtype=torch.float64)
        torch.testing.assert_close(one(x), norm(layer(x)), **EXACT)
        for p, old in zip(layer.parameters(), before, strict=True):
            assert torch.equal(p, old)  # the layer itself stays
        trained = norm.train()(layer(x))  # "another function"
        assert (trained - one(x)).abs().max() > 0.01
