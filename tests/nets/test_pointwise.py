"""Strided 1x1 convolutions of thin inputs: the same numbers, and the process lives."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from bnlab.nets import make_net
from bnlab.nets.pointwise import THIN, every, pointwise

AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}

TRAININGS = """
import torch
from bnlab.data import load
from bnlab.nets.binary import BinaryResNet
from bnlab.nets.init import initialize
from bnlab.nets.supernet import Supernet
from bnlab.train import Run, train, train_many

torch.set_num_threads(1)
for width in (3, 4, 7):
    run = Run(width=width, depth=2, steps=20, batch_size=16, eval_every=20)
    for branch in ("plain", "skipinit", "fixup"):
        norm = "none" if branch == "fixup" else "batch"
        train(run.replace(net="resnet", norm=norm, net_options={"branch": branch}))
    train(run.replace(net="plain", norm="batch"))
    resnet = run.replace(net="resnet", norm="batch")
    train_many([resnet, resnet.replace(seed=1)], engine="stack")
    images = torch.tensor(load("digits", 0).train_x[:16])
    supernet = Supernet((1, 8, 8), 10, 2, width, ops=("k1e2", "k3e1"))
    for net in (supernet, BinaryResNet((1, 8, 8), 10, 2, width, "batch")):
        initialize(net, 0)
        path = ((0, 0),) if net is supernet else ()
        for _ in range(10):
            net(images, *path).square().sum().backward()
print("lived")
"""


def test_no_net_of_the_book_ends_the_process_on_a_processor_without_avx_512():
    """oneDNN writes beyond its memory; the nets of today's code must not reach that."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", TRAININGS],
        env=os.environ | AVX2 | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, "lived\n"), done.stderr[:3000]


def gradients(x, conv, step, stride):
    """Output and gradients for x, the weights and the biases."""
    x = x.clone().requires_grad_()
    y = conv2d(every(x, step), conv.weight, conv.bias, stride)
    upstream = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).sin().view_as(y)
    return y, *torch.autograd.grad(y, (x, conv.weight, conv.bias), upstream)


@pytest.mark.parametrize("size", [4, 7, 8])
@pytest.mark.parametrize("width", [1, 3, 4, 7])
def test_thin_inputs_give_the_numbers_of_the_strided_convolution(width, size):
    conv, step = pointwise(width, 2 * width, 2)
    assert step == 2 and conv.stride == (1, 1)
    x = torch.randn(16, width, size, size, dtype=torch.float64)
    strided = gradients(x, conv.double(), 1, 2)
    for found, expected in zip(gradients(x, conv, step, 1), strided, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_wide_inputs_keep_their_strided_convolution():
    """And so the last bits of what was measured with them, and the compiled nets."""
    conv, step = pointwise(THIN, 2 * THIN, 2, bias=False)
    assert (step, conv.stride, conv.bias) == (1, (2, 2), None)


@pytest.mark.parametrize("branch", ["plain", "skipinit", "fixup"])
def test_thin_residual_nets_have_no_strided_1x1_convolution_and_the_same_names(branch):
    norm = "none" if branch == "fixup" else "batch"
    thin, wide = (
        make_net("resnet", (1, 8, 8), 10, 3, width, norm, branch=branch) for width in (4, 8)
    )
    assert list(thin.state_dict()) == list(wide.state_dict())
    convs = [m for m in thin.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1)]
    assert convs and all(m.stride == (1, 1) for m in convs)
