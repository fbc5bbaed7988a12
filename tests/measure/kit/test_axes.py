"""On which axis the channels are: by the kind of layer, by their number, or by argument."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab import measure
from bnlab.nets import make_net
from bnlab.norms import make_norm


class HalfDead(nn.Module):
    """Half of the channels give nothing."""

    def __init__(self, axis):
        super().__init__()
        self.axis = axis

    def forward(self, x):
        keep = x.shape[self.axis] // 2
        part = x.narrow(self.axis, keep, x.shape[self.axis] - keep)
        return torch.cat([0 * x.narrow(self.axis, 0, keep), part], self.axis)


def mlp(*middle):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 8), *middle, nn.Linear(8, 3))


def dead_half(*before, axis=-1):
    return mlp(*before, HalfDead(axis))


TOKENS = {
    "after a linear layer": lambda: dead_half(),
    "after RMSNorm": lambda: dead_half(nn.RMSNorm(8)),
    "after LayerNorm": lambda: dead_half(nn.LayerNorm(8)),
    "after GELU": lambda: dead_half(nn.GELU(), nn.Dropout(0.0)),
    "after an encoder layer": lambda: dead_half(
        nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    ),
}


@pytest.mark.parametrize("tokens", [5, 8])
@pytest.mark.parametrize("kind", TOKENS)
def test_half_of_the_features_are_dead(kind, tokens):
    found = measure.measure_signals(
        TOKENS[kind](), None, torch.randn(12, tokens, 8), layers=HalfDead
    )
    assert found.dead == [0.5] and found.channel_axis == (2,)


@pytest.mark.parametrize("length", [5, 8])
@pytest.mark.parametrize("norm", [nn.BatchNorm1d(8), nn.GroupNorm(2, 8), nn.InstanceNorm1d(8)])
def test_half_of_the_channels_of_a_signal_in_time_are_dead(norm, length):
    net = nn.Sequential(nn.Conv1d(2, 8, 3, padding=1), norm, nn.ReLU(), HalfDead(1))
    found = measure.measure_signals(net, None, torch.randn(12, 2, length), layers=HalfDead)
    assert found.dead[0] >= 0.5 and found.channel_axis == (1,)


@pytest.mark.parametrize(
    ("layer", "shape", "axis"),
    [
        (nn.Linear(8, 8), (4, 5, 8), 2),
        (nn.LayerNorm(8), (4, 5, 8), 2),
        (nn.RMSNorm(8), (4, 8, 8), 2),
        (nn.RMSNorm(8), (4, 5, 6, 8), 3),
        (nn.TransformerEncoderLayer(8, 2, 16), (4, 8, 8), 2),
        (nn.Conv1d(8, 8, 1), (4, 8, 8), 1),
        (nn.Conv2d(8, 8, 1), (4, 8, 3, 8), 1),
        (nn.BatchNorm1d(8), (4, 8, 8), 1),
        (nn.GroupNorm(2, 8), (4, 8, 8), 1),
        (make_norm("layer", 8), (4, 8, 3, 8), 1),
        (nn.Linear(8, 8), (4, 8), 1),
        (nn.ReLU(), (4, 8), 1),
        (nn.ReLU(), (4, 8, 3, 3), 1),
    ],
)
def test_known_layers(layer, shape, axis):
    found = measure.measure_signals(nn.Sequential(layer), None, torch.randn(shape), layers=["0"])
    assert found.channel_axis == (axis,)


def test_a_norm_made_from_layer_norm_may_have_moved_the_channels():
    class LayerNorm2d(nn.LayerNorm):
        def forward(self, x):
            return super().forward(x.movedim(1, -1)).movedim(-1, 1)

    net = nn.Sequential(nn.Conv2d(1, 8, 1), LayerNorm2d(8))
    for width in (5, 9):
        x = torch.randn(4, 1, width, width)
        assert measure.measure_signals(net, None, x, layers=["1"]).channel_axis == (1,)


class Block(nn.Module):
    """Of ConvNeXt: a convolution, then the channels at the end, and back."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.linear = nn.Conv2d(8, 8, 1), nn.LayerNorm(8), nn.Linear(8, 8)

    def forward(self, x):
        return x + self.linear(self.norm(self.conv(x).movedim(1, -1))).movedim(-1, 1)


def test_a_block_of_both_sorts_is_settled_by_size_or_asked_about():
    block = nn.Sequential(Block())
    found = measure.measure_signals(block, None, torch.randn(4, 8, 5, 5), layers=Block)
    assert found.channel_axis == (1,)
    square = torch.randn(4, 8, 8, 8)
    with pytest.raises(ValueError, match=r"layer '0' \(Block\).*channel_axis=1 or channel_axis=-1"):
        measure.measure_signals(block, None, square, layers=Block)
    found = measure.measure_signals(block, None, square, layers=Block, channel_axis=1)
    assert found.channel_axis == (1,)
    # What needs no axis does not ask.
    assert measure.measure_gradients(
        block, lambda o, _: o.square().mean(), square, None, Block, of="outputs"
    ).names == ("0",)


@pytest.mark.parametrize("axis", [0, 3, -3, 7])
def test_an_axis_that_there_is_not(axis):
    with pytest.raises(ValueError, match=f"channel_axis={axis} is no axis of the channels"):
        measure.measure_signals(mlp(), None, torch.randn(4, 5, 8), channel_axis=axis)


def test_the_other_measurements_that_have_an_axis():
    net, x = dead_half(nn.GELU()), torch.randn(12, 5, 8)
    inputs = measure.layer_inputs(net, x, layers=["1", "2", "3"])
    assert inputs.channel_axis == (2, 2, 2) and [len(m) for m in inputs.mean] == [8, 8, 8]
    assert len(measure.layer_inputs(net, x, layers=["1"], channel_axis=1).mean[0]) == 5
    assert measure.block_variances(net, x, HalfDead) == pytest.approx(
        measure.measure_signals(net, None, x, layers=HalfDead).variance
    )
    y = torch.randint(3, (12, 3))
    loss = lambda o, t: cross_entropy(o.movedim(-1, 1)[..., :3], t)  # noqa: E731
    moments = measure.measure_step_moments(net, loss, x, y, 0.1, [0.0], ["1", "2"])
    assert [m.shape for m in moments.mean] == [(1, 8), (1, 8)] and moments.channel_axis == (2, 2)
    recorder = measure.ShiftRecorder(net, x, 1, ["2"], channel_axis=-1)
    recorder(0)
    assert recorder._last.channel_axis == (2,)


@pytest.mark.parametrize("name", ["mlp", "plain", "resnet"])
def test_the_nets_of_this_package_are_never_asked_about(name):
    net = make_net(name, (1, 8, 8), 10, depth=3, width=8, norm="batch")
    found = measure.measure_signals(net, None, torch.randn(4, 1, 8, 8))
    assert set(found.channel_axis) == {1}


class Permute(nn.Module):
    """As torchvision's: the axes in another order."""

    def __init__(self, *order):
        super().__init__()
        self.order = order

    def forward(self, x):
        return x.permute(self.order)


LAST, FIRST = Permute(0, 2, 3, 1), Permute(0, 3, 1, 2)


@pytest.mark.parametrize(
    ("middle", "axis"),
    [
        ([nn.Conv2d(8, 8, 1), LAST, nn.LayerNorm(8)], 1),
        ([nn.Conv2d(8, 8, 1), nn.LayerNorm(8)], 1),
        ([nn.Conv2d(8, 8, 1), nn.ReLU(), LAST, nn.GELU()], 1),
        ([LAST, nn.Linear(8, 8), nn.GELU(), FIRST], -1),
    ],
)
def test_a_stage_ends_where_the_axes_move_though_the_shape_stays(middle, axis):
    """As many channels as rows and columns: the shape does not tell."""
    torch.manual_seed(0)
    net, x = (
        nn.Sequential(nn.Identity(), *middle, nn.Flatten(), nn.Linear(512, 3)),
        torch.randn(4, 8, 8, 8),
    )
    found = measure.measure_signals(net, None, x)
    end = next(k for k, m in enumerate(net) if isinstance(m, nn.Conv2d | nn.Linear)) + 1
    while isinstance(net[end], nn.ReLU | nn.GELU):
        end += 1
    values = net[:end](x).detach().movedim(axis, 0).flatten(1)
    assert found.variance[0] == pytest.approx(float(values.var(1, unbiased=False).mean()), rel=1e-5)
