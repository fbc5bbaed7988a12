"""A net that was swapped to a normalizer computes what the library's own net with it computes."""

import functools

import pytest
import torch
from torch import nn

from bnlab.norms import swap_norms
from tests.models.libraries import missing, prepare

if missing():
    pytest.skip(f"not installed: {', '.join(missing())}", allow_module_level=True)
prepare()


def resnet(**norm):
    from torchvision.models.resnet import BasicBlock, ResNet

    return ResNet(BasicBlock, [1, 1, 1, 1], num_classes=4, **norm)


def mobilenet(**norm):
    from torchvision.models import MobileNetV2

    return MobileNetV2(4, 0.25, [[1, 16, 1, 1], [6, 24, 2, 2]], dropout=0.0, **norm)


def grouped(size, channels):
    return nn.GroupNorm(channels // size, channels)


BUILT = {  # with BatchNorm, with the other one, what the swap is told
    "ResNet, group": (
        resnet,
        functools.partial(grouped, 4),
        ("group", {"group_size": 4}),
    ),
    "ResNet, instance": (
        resnet,
        functools.partial(nn.InstanceNorm2d, affine=True),
        ("instance", {}),
    ),
    "MobileNetV2, layer": (
        mobilenet,
        functools.partial(nn.GroupNorm, 1),
        ("layer", {}),
    ),
    "MobileNetV2, none": (
        mobilenet,
        lambda _: nn.Identity(),
        ("none", {}),
    ),
}


def moved(net):
    """In float64, with weights of normalizers that are not all alike."""
    net = net.double()
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.ndim == 1:
                parameter += 0.1 * torch.randn_like(parameter)
    return net


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", BUILT)
def test_of_torchvision(name, training):
    build, norm, (kind, options) = BUILT[name]
    torch.manual_seed(0)
    start, built = moved(build()), build(norm_layer=norm).double()
    kept = {key: v for key, v in start.state_dict().items() if key in built.state_dict()}
    built.load_state_dict(kept)
    swapped = swap_norms(start, kind, **options)
    x = torch.randn(4, 3, 64, 64, dtype=torch.float64)
    ours, theirs = (net.train(training)(x) for net in (swapped, built))
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("training", [True, False])
def test_of_timm_where_the_activation_belongs_to_the_normalizer(training):
    import timm

    torch.manual_seed(0)
    start = moved(timm.create_model("test_efficientnet", num_classes=4))
    built = timm.create_model("test_efficientnet_gn", num_classes=4).double()
    built.load_state_dict({k: v for k, v in start.state_dict().items() if k in built.state_dict()})
    sizes = {m.num_channels // m.num_groups for m in built.modules() if isinstance(m, nn.GroupNorm)}
    swapped = swap_norms(start, "group", group_size=sizes.pop())
    assert not sizes
    x = torch.randn(4, 3, 64, 64, dtype=torch.float64)
    ours, theirs = (net.train(training)(x) for net in (swapped, built))
    torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-7)
