"""The noisy BatchNorm that chapter 04 writes in a few lines is the package's own."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bnlab.norms import NoisyBatchNorm
from bnlab.norms.noise import normal, uniform

PAGE = Path(__file__).parents[3] / "book" / "04_covariate_shift.ipynb"


def taught():
    """The cell of the page that defines it."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if "teaching" in cell["metadata"].get("tags", ())]
    (found,) = ["".join(cell["source"]) for cell in tagged]
    return found


def package_s_numbers(norm, samples, channels):
    """``rand`` and ``randn`` that give the numbers of a norm's coming step, in the cell's order."""
    n = samples * channels
    u = uniform(norm.noise_key, norm.noise_step, 2 * channels + 2 * n + n % 2).double()
    mu, sigma, shift, factor = u.split([channels, channels, n, n + n % 2])
    parts = iter([mu, sigma, shift, normal(factor)[:n]])

    def draw(shape):
        return next(parts).reshape(shape)

    return SimpleNamespace(rand=draw, randn=draw)


@pytest.mark.parametrize(("samples", "channels"), [(3, 1), (16, 5), (7, 9)])
def test_it_gives_what_the_package_gives(samples, channels):
    names = {}
    exec(taught(), names)  # the cell as a reader runs it
    norm = NoisyBatchNorm(channels, affine=False, noise_seed=4).double()
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        x = 2 + 3 * torch.randn(samples, channels, generator=generator, dtype=torch.float64)
        names["torch"] = package_s_numbers(norm, samples, channels)
        torch.testing.assert_close(names["noisy_batch_norm"](x), norm(x), rtol=1e-12, atol=1e-12)


def test_with_torch_s_own_numbers_each_step_differs_and_has_equation_1_s_moments():
    names = {}
    exec(taught(), names)
    torch.manual_seed(0)
    x = torch.randn(50, 20_000)
    y = names["noisy_batch_norm"](x)
    assert not torch.equal(y, names["noisy_batch_norm"](x))
    mean, factor = y.mean(0), y.std(0)
    assert mean.abs().max() < 0.6 and mean.std() == pytest.approx(1 / 12**0.5, abs=0.02)
    assert factor.mean() == pytest.approx(1.13, abs=0.02)
