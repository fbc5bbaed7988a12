"""MimicNorm takes out every normalizer that ``swap_norms`` knows, or refuses."""

import pytest
import torch
from torch import nn

from bnlab.methods import mimic
from bnlab.norms import swap_norms
from tests.norms.foreign_norms import BatchNormAct2d, LlamaRMSNorm, VisionLayerNorm2d


@pytest.mark.parametrize(
    "norm", [nn.LayerNorm, getattr(nn, "RMSNorm", nn.LayerNorm), LlamaRMSNorm], ids=str
)
def test_every_normalizer_is_taken_out(norm):
    net = nn.Sequential(nn.Linear(8, 8), norm(8), nn.ReLU(), nn.Linear(8, 3))
    for model in (net, swap_norms(net, "rms")):
        bare = mimic(model, eligible="hidden")
        assert isinstance(bare[1], nn.Identity)
        assert bare(torch.randn(4, 8)).shape == (4, 3)


def test_those_of_images():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), VisionLayerNorm2d(4), nn.Flatten(), nn.Linear(16, 3))
    assert isinstance(mimic(net, eligible="conv")[1], nn.Identity)


def test_a_normalizer_that_activates_cannot_be_left_out():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), BatchNormAct2d(4), nn.Flatten(), nn.Linear(4, 3))
    for model in (net, swap_norms(net, "layer")):
        with pytest.raises(ValueError, match=r"normalizer '1' .*has a nonlinearity of its own"):
            mimic(model)
