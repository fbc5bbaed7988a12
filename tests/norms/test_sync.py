"""SyncBatchNorm in two real processes equals one BatchNorm on the joined batch."""

import datetime
import multiprocessing

import pytest
import torch
import torch.distributed as dist
from torch import nn

from bnlab.norms.sync import SyncBatchNorm

SECONDS = 60  # for the processes, which import torch first; then they are ended
STEPS = 3
HAS_GLOO = dist.is_available() and dist.is_gloo_available()
needs_gloo = pytest.mark.skipif(not HAS_GLOO, reason="this torch has no gloo backend")


def shares(dtype: torch.dtype, sizes: tuple[int, int], images: bool, step: int):
    """Inputs and output gradients of both processes; channels with means up to 1e3."""
    generator = torch.Generator().manual_seed(step)
    shape = (sum(sizes), 3, 4, 2) if images else (sum(sizes), 3)
    x, dy = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
    offset = torch.tensor([0.0, 5.0, 1000.0]).reshape(1, 3, *[1] * (len(shape) - 2))
    return (x + offset).to(dtype).split(sizes), dy.to(dtype).split(sizes)


def prepared(norm: nn.Module, dtype: torch.dtype) -> nn.Module:
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, -2.0, 0.5]))
        norm.bias.copy_(torch.tensor([0.0, 1.0, 3.0]))
    return norm.to(dtype)


def run(norm: nn.Module, batches) -> dict[str, list[torch.Tensor]]:
    """Outputs and input gradients of some training steps, then all that the module keeps."""
    out = {"y": [], "dx": []}
    for x, dy in batches:
        x = x.clone().requires_grad_()
        y = norm(x)
        y.backward(dy)
        out["y"].append(y.detach())
        out["dx"].append(x.grad)
    out["buffers"] = [norm.running_mean, norm.running_var]
    out["grads"] = [norm.weight.grad, norm.bias.grad]
    out["eval"] = [norm.eval()(x).detach()]
    return out


def process(rank: int, folder: str, cases: list) -> None:
    """One of the two processes: all cases in turn, results into a file."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/meeting",
        rank=rank,
        world_size=2,
        timeout=datetime.timedelta(seconds=SECONDS / 2),
    )
    results = []
    for dtype, sizes, images in cases:
        batches = []
        for step in range(STEPS):
            x, dy = shares(dtype, sizes, images, step)
            batches.append((x[rank], dy[rank]))
        results.append(run(prepared(SyncBatchNorm(3), dtype), batches))
    torch.save(results, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


CASES = [
    (torch.float64, (4, 4), False),
    (torch.float64, (4, 4), True),
    (torch.float64, (1, 6), False),  # one value a channel in one process, and unequal shares
    (torch.float64, (1, 1), False),
    (torch.float64, (5, 2), True),
    (torch.float32, (4, 4), True),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What both processes found, a list of two for each case."""
    folder = tmp_path_factory.mktemp("gloo")
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=process, args=(r, str(folder), CASES)) for r in range(2)]
    try:
        for each in both:
            each.start()
        for each in both:
            each.join(SECONDS)
        codes = [each.exitcode for each in both]
    finally:
        for each in both:
            if each.is_alive():
                each.kill()
    assert codes == [0, 0], f"exit codes {codes} (None: it did not end within {SECONDS} s)"
    files = [torch.load(folder / f"{r}.pt", weights_only=True) for r in range(2)]
    return list(zip(*files, strict=True))


@needs_gloo
@pytest.mark.parametrize("number", range(len(CASES)), ids=[str(c) for c in CASES])
def test_two_processes_equal_one_on_the_joined_batch(results, number):
    dtype, sizes, images = CASES[number]
    norm = prepared((nn.BatchNorm2d if images else nn.BatchNorm1d)(3), torch.float64)
    joined = []
    for step in range(STEPS):
        x, dy = shares(dtype, sizes, images, step)
        joined.append((torch.cat(x).double(), torch.cat(dy).double()))
    want, (first, second) = run(norm, joined), results[number]
    # With a mean of 1000 float32 keeps the input itself to 6e-5.
    near = {"rtol": 1e-9, "atol": 1e-9} if dtype == torch.float64 else {"rtol": 1e-3, "atol": 1e-3}
    for key in ("y", "dx", "eval"):
        got = [torch.cat(parts).double() for parts in zip(first[key], second[key], strict=True)]
        torch.testing.assert_close(got, want[key], **near)
    for share in (first, second):
        torch.testing.assert_close([b.double() for b in share["buffers"]], want["buffers"], **near)
    grads = [(a + b).double() for a, b in zip(first["grads"], second["grads"], strict=True)]
    torch.testing.assert_close(grads, want["grads"], **near)


@needs_gloo
def test_each_on_its_own_would_differ(results):
    """Else the comparison above would show nothing."""
    x, dy = shares(*CASES[0], 0)
    alone = run(prepared(nn.BatchNorm1d(3), torch.float64), [(x[0], dy[0])])
    first = results[0][0]
    assert (alone["y"][0] - first["y"][0]).abs().max() > 0.1
    assert (alone["dx"][0] - first["dx"][0]).abs().max() > 0.1


@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 2, 2)], ids=str)
def test_without_other_processes_it_is_batch_norm(shape):
    generator = torch.Generator().manual_seed(0)
    x, dy = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
    one = run(prepared(SyncBatchNorm(3), torch.float64), [(x, dy)])
    layer = (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(3)
    torch.testing.assert_close(
        one, run(prepared(layer, torch.float64), [(x, dy)]), rtol=1e-11, atol=1e-11
    )


def test_derivatives_by_finite_differences():
    norm = SyncBatchNorm(2, eps=1e-3).double()
    x = torch.randn(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x.requires_grad_()
    assert torch.autograd.gradcheck(norm, (x,)) and torch.autograd.gradgradcheck(norm, (x,))


def test_bad_input():
    with pytest.raises(ValueError, match=r"more than one value a channel.*one process.*a larger b"):
        SyncBatchNorm(3)(torch.ones(1, 3))
    assert SyncBatchNorm(3).eval()(torch.ones(1, 3)).shape == (1, 3)
    with pytest.raises(ValueError, match="momentum must be between 0 and 1, got 2"):
        SyncBatchNorm(3, momentum=2)
    with pytest.raises(ValueError, match=r"made for 3 channels \(axis 1\), got shape \(2, 4\)"):
        SyncBatchNorm(3)(torch.ones(2, 4))
    assert repr(SyncBatchNorm(3)) == "SyncBatchNorm(3, eps=1e-05, affine=True, momentum=0.1)"
