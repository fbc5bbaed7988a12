"""What ``read_norm`` says of a normalizer, that is what it computes; and ``swap_norms`` uses it."""

import copy
import importlib

import pytest
import torch
from torch import nn

from bnlab.norms import NormReading, make_norm, read_norm, register_norm, swap_norms
from bnlab.norms.reading import is_registered
from tests.models.libraries import missing, prepare
from tests.norms.foreign_norms import FOREIGN, FrozenBatchNorm2d, GatedRMSNorm, OddRMSNorm

TORCH = {
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4), (6, 4), "batch"),
    "BatchNorm1d, sequences": (lambda: nn.BatchNorm1d(4), (6, 4, 3), "batch"),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4, eps=0.1), (3, 4, 5, 2), "batch"),
    "BatchNorm2d, not affine": (lambda: nn.BatchNorm2d(4, affine=False), (3, 4, 5, 2), "batch"),
    "BatchNorm2d, not tracked": (
        lambda: nn.BatchNorm2d(4, track_running_stats=False),
        (3, 4, 5, 2),
        "batch",
    ),
    "BatchNorm3d": (lambda: nn.BatchNorm3d(4), (3, 4, 2, 2, 3), "batch"),
    "LayerNorm": (lambda: nn.LayerNorm(4), (3, 5, 4), "layer"),
    "LayerNorm, no bias": (lambda: nn.LayerNorm(4, bias=False), (3, 4), "layer"),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), (3, 4, 5), "group"),
    "InstanceNorm1d": (lambda: nn.InstanceNorm1d(4), (3, 4, 5), "instance"),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(4, affine=True), (3, 4, 5, 2), "instance"),
    "InstanceNorm3d": (lambda: nn.InstanceNorm3d(4), (3, 4, 5, 2, 2), "instance"),
    "InstanceNorm2d, tracked": (
        lambda: nn.InstanceNorm2d(4, track_running_stats=True),
        (3, 4, 5, 2),
        "instance",
    ),
}
if hasattr(nn, "RMSNorm"):
    TORCH["RMSNorm"] = (lambda: nn.RMSNorm(4), (3, 5, 4), "rms")
EVERY = {**TORCH, **{key: (lambda m=m: m(4), *rest) for key, (m, *rest, _) in FOREIGN.items()}}


def data(shape, seed=0):
    return 1 + 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def filled(make, seed=1):
    """A module with other parameters than at its start."""
    generator = torch.Generator().manual_seed(seed)
    module = make()
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return module


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("case", EVERY)
def test_the_reading_computes_what_the_module_computes(case, training):
    make, shape, kind = EVERY[case]
    module = filled(make).train(training)
    before = copy.deepcopy(module.state_dict())
    reading = read_norm(module)
    assert reading.kind == kind and reading.num_features == 4
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
    assert module.training == training
    torch.testing.assert_close(reading.output(data(shape), training), module(data(shape)))


@pytest.mark.parametrize("case", FOREIGN)
def test_a_swap_to_the_same_kind_is_the_identity(case):
    make, shape, _, name = FOREIGN[case]
    net = nn.Sequential(filled(lambda: make(4)))
    if name is None:
        with pytest.raises(ValueError, match="it is frozen: it uses its running statistics in tr"):
            swap_norms(net, "batch")
        return
    swapped = swap_norms(net, name)
    for k, training in enumerate((True, True, False)):
        x = data(shape, seed=k).requires_grad_()
        other = x.detach().clone().requires_grad_()
        a, b = (one.train(training)(v) for one, v in ((swapped, x), (net, other)))
        torch.testing.assert_close(a, b)
        a.cos().sum().backward()
        b.cos().sum().backward()
        torch.testing.assert_close(x.grad, other.grad, rtol=1e-4, atol=1e-5)
    for p, q in zip(swapped.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["layer", "rms", "batch", "group"])
@pytest.mark.parametrize("case", FOREIGN)
def test_a_swap_to_another_kind_keeps_axes_and_activation(case, name):
    make, shape, _, same = FOREIGN[case]
    if same is None and name == "batch":
        return
    net = nn.Sequential(filled(lambda: make(4)))
    swapped = swap_norms(net, name, **({"group_size": 2} if name == "group" else {}))
    reading, x = read_norm(net[0]), data(shape)
    weight, bias = (reading.parameters.get(key) for key in ("weight", "bias"))
    if name == "rms":
        bias = None
    elif reading.kind == "rms":
        bias = torch.zeros(4)
    wanted = NormReading(
        name,
        4,
        reading.eps,
        {"weight": weight, "bias": bias},
        axis=reading.axis,
        by_position=reading.by_position,
        num_groups=2,
        after=reading.after,
    )
    torch.testing.assert_close(swapped(x), wanted.output(x, training=True))


def test_what_is_called_so_and_computes_something_else_is_refused():
    with pytest.raises(ValueError, match="computes something else than rms norm on axis -1"):
        swap_norms(nn.Sequential(OddRMSNorm(4)), "rms")
    with pytest.raises(ValueError, match=r"OddRMSNorm|cannot be called|its reader fails"):
        swap_norms(nn.Sequential(GatedRMSNorm(4)), "rms")
    assert not is_registered(nn.Linear(2, 2))


def test_a_frozen_one_becomes_a_frozen_one_of_another_kind():
    frozen = FrozenBatchNorm2d(4)
    new = swap_norms(nn.Sequential(frozen), "group", group_size=2)[0]
    assert not any(p.requires_grad for p in new.parameters())
    assert torch.equal(new.weight, frozen.weight) and torch.equal(new.bias, frozen.bias)


def test_meta_weights_of_a_foreign_class_cannot_be_compared():
    with torch.device("meta"):
        net = nn.Sequential(FOREIGN["transformers LlamaRMSNorm"][0](4))
    with pytest.raises(ValueError, match="on the meta device"):
        swap_norms(net, "rms")


class Signed(nn.Module):
    """A user's own: the mean of all channels is subtracted, and the gain is called so."""

    def __init__(self, width=4):
        super().__init__()
        self.gain = nn.Parameter(torch.full((width,), 2.0))

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        return self.gain * centred / (centred.square().mean(-1, keepdim=True) + 1e-3).sqrt()


def read_signed(module):
    return NormReading("layer", len(module.gain), 1e-3, {"weight": module.gain}, axis=-1)


def test_users_register_their_own():
    net = nn.Sequential(nn.Linear(4, 4), type("Mine", (Signed,), {})())
    register_norm(Signed, read_signed)
    swapped = swap_norms(net, "layer")
    x = data((3, 5, 4))
    torch.testing.assert_close(swapped(x), net(x))
    assert swapped.swap_report.changed[0].kept == ("weight",)
    register_norm(Signed, lambda module: NormReading("rms", 4, 1e-3, {"weight": module.gain}))
    with pytest.raises(ValueError, match=r"cannot be called with an input of shape|something else"):
        read_norm(net[1])
    register_norm("*.Signed", read_signed)  # what was registered last is asked first
    assert read_norm(net[1]).kind == "layer"


def test_wrong_readings_and_registrations_are_refused():
    with pytest.raises(ValueError, match="unknown kind of normalizer 'bach'"):
        NormReading("bach", 4, 1e-5)
    with pytest.raises(ValueError, match=r"weight must have the shape \(4,\)"):
        NormReading("layer", 4, 1e-5, {"weight": torch.ones(3)})
    with pytest.raises(ValueError, match="num_groups must divide num_features=4, got 3"):
        NormReading("group", 4, 1e-5, num_groups=3)
    with pytest.raises(ValueError, match="axis must be 1 or -1, got 2"):
        NormReading("layer", 4, 1e-5, axis=2)
    with pytest.raises(ValueError, match="cls must be"):
        register_norm(int, read_signed)
    with pytest.raises(ValueError, match="its reader fails"):
        register_norm("*.NoReading", lambda module: module.nothing)
        read_norm(type("NoReading", (nn.Module,), {"forward": lambda self, x: x})())
    with pytest.raises(ValueError, match="neither torch nor bnlab"):
        read_norm(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="neither torch nor bnlab"):
        read_norm(make_norm("batch", 2))


REAL = {
    "torchvision.models.convnext.LayerNorm2d": ("layer", (2, 4, 3, 3)),
    "torchvision.ops.misc.FrozenBatchNorm2d": ("batch", (2, 4, 3, 3)),
    "timm.layers.LayerNorm": ("layer", (2, 3, 4)),
    "timm.layers.LayerNorm2d": ("layer", (2, 4, 3, 3)),
    "timm.layers.BatchNormAct2d": ("batch", (2, 4, 3, 3)),
    "timm.layers.GroupNorm1": ("group", (2, 4, 3, 3)),
    "timm.layers.RmsNorm": ("rms", (2, 3, 4)),
    "timm.layers.RmsNorm2d": ("rms", (2, 4, 3, 3)),
    "transformers.models.llama.modeling_llama.LlamaRMSNorm": ("rms", (2, 3, 4)),
    "transformers.models.t5.modeling_t5.T5LayerNorm": ("rms", (2, 3, 4)),
    "transformers.models.gemma.modeling_gemma.GemmaRMSNorm": ("rms", (2, 3, 4)),
}


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("path", REAL)
@pytest.mark.filterwarnings("ignore")  # of libraries that are imported
def test_the_libraries_themselves(path, training):
    library, name = path.rsplit(".", 1)
    if path.split(".")[0] in missing():
        pytest.skip(f"{path} is not installed: it is only imitated here")
    prepare()
    cls = getattr(importlib.import_module(library), name)
    kind, shape = REAL[path]
    module = filled(lambda: cls(4)).train(training)
    reading = read_norm(module)
    assert reading.kind == kind
    torch.testing.assert_close(reading.output(data(shape), training), module(data(shape)))
