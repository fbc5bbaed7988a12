"""The Batch Renormalization that chapter 07 writes in five lines is the package's own."""

import json
from pathlib import Path

import pytest
import torch

from bnlab.norms import BatchRenorm

PAGE = Path(__file__).parents[3] / "book" / "07_batch_renorm.ipynb"


def taught():
    """The function that the page defines, from the very cell."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    (cell,) = [one for one in cells if "teaching" in one["metadata"].get("tags", ())]
    names = {}
    exec("".join(cell["source"]), names)
    return names["renorm"]


@pytest.mark.parametrize("size", [2, 4, 32])
def test_output_and_gradient_are_those_of_the_package_without_limits(size):
    renorm, generator = taught(), torch.Generator().manual_seed(size)
    x = torch.randn(size, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    mean = torch.randn(6, generator=generator, dtype=torch.float64)
    sd = torch.rand(6, generator=generator, dtype=torch.float64) + 0.5
    layer = BatchRenorm(6, eps=0.0, affine=False, r_max=None, d_max=None).double()
    layer.running_mean, layer.running_var = mean.clone(), sd.square()
    weights = torch.randn(size, 6, generator=generator, dtype=torch.float64)
    outputs = renorm(x, mean, sd), layer(x)
    torch.testing.assert_close(*outputs, rtol=1e-12, atol=1e-12)
    slopes = [torch.autograd.grad((y * weights).sum(), x)[0] for y in outputs]
    torch.testing.assert_close(*slopes, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(outputs[0], (x - mean) / sd, rtol=1e-12, atol=1e-12)
