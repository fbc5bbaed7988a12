"""A swap to the same kind is the identity, outputs and statistics, or it is refused."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from bnlab.norms import NORMS, BatchNorm, make_norm, swap_norms
from bnlab.norms.layouts import ChannelsLast
from tests.norms.norm_cases import REQUIRED


def data(*shape: int, seed: int = 0) -> torch.Tensor:
    return 3 + 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


IMAGES = (8, 4, 3, 3)


def set_to(**values: object):
    def change(layer):
        for name, value in values.items():
            setattr(layer, name, value)

    return change


def frozen(layer):
    layer.requires_grad_(False)


TOGGLED = {
    "as it is": set_to(),
    "tracked no more": set_to(track_running_stats=False),
    "statistics removed": set_to(running_mean=None, running_var=None),
    "removed and not tracked": set_to(
        running_mean=None, running_var=None, track_running_stats=False
    ),
    "no counter": set_to(num_batches_tracked=None),
    "one statistic removed": set_to(running_var=None),
    "weight removed": set_to(weight=None),
    "bias removed": set_to(bias=None),
    "both removed": set_to(weight=None, bias=None),
    "affine says no": set_to(affine=False),
    "cumulative": set_to(momentum=None),
    "momentum 0": set_to(momentum=0.0),
    "momentum 1": set_to(momentum=1.0),
    "another eps": set_to(eps=0.5),
    "frozen": frozen,
    "evaluation mode": nn.Module.eval,
}
LAYERS = {
    "batch": (lambda **more: nn.BatchNorm2d(4, **more), "batch"),
    "batch, not affine": (lambda **more: nn.BatchNorm2d(4, affine=False, **more), "batch"),
    "batch, not tracked": (
        lambda **more: nn.BatchNorm2d(4, track_running_stats=False, **more),
        "batch",
    ),
    "instance": (lambda **more: nn.InstanceNorm2d(4, affine=True, **more), "instance"),
    "instance, tracked": (
        lambda **more: nn.InstanceNorm2d(4, track_running_stats=True, **more),
        "instance",
    ),
    "group": (lambda **more: nn.GroupNorm(2, 4, **more), "group"),
    "own batch": (lambda **more: BatchNorm(4, **more), "batch"),
    "own batch, not tracked": (
        lambda **more: BatchNorm(4, track_running_stats=False, **more),
        "batch",
    ),
}


def trained(make) -> nn.Module:
    layer = make(eps=1e-3)
    layer(data(*IMAGES, seed=1))
    with torch.no_grad():
        for k, p in enumerate(layer.parameters()):
            p.copy_(torch.linspace(0.5 + k, 2, 4))
    return layer


def outputs(layer: nn.Module) -> list[torch.Tensor] | None:
    """In both modes, one training step between them; None if the layer itself cannot."""
    layer, seen = copy.deepcopy(layer), []
    try:
        for training in (layer.training, True, False):
            seen.append(layer.train(training)(data(*IMAGES)))
    except (RuntimeError, ValueError, TypeError, AttributeError, AssertionError):
        return None
    return seen


@pytest.mark.parametrize("change", TOGGLED)
@pytest.mark.parametrize("case", LAYERS)
def test_the_same_kind_computes_the_same_or_is_refused(case, change):
    make, name = LAYERS[case]
    layer = trained(make)
    TOGGLED[change](layer)
    before = copy.deepcopy(layer.state_dict())
    try:
        swapped = swap_norms(nn.Sequential(layer), name)[0]
    except ValueError as refused:
        assert "cannot become" in str(refused)
        assert change in (
            "tracked no more",
            "one statistic removed",
            "cumulative",
            *(TOGGLED if case == "instance, tracked" else ()),
        )
        return
    wanted, got = outputs(layer), outputs(swapped)
    if wanted is None:
        return
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b)
    assert [p.requires_grad for p in swapped.parameters()] == [
        p.requires_grad for p in layer.parameters()
    ]
    after = swapped.state_dict()
    for key, value in before.items():
        if key.startswith("running_") and key in after:
            assert torch.equal(after[key], value)


@pytest.mark.parametrize("name", NORMS)
def test_the_same_kind_of_bnlab_keeps_all_that_it_has(name):
    more = {"schedule": {"warmup": 0, "r_end": 3, "d_end": 2}} if name == "batch_renorm" else {}
    more |= {"learnable_eps": True} if name == "filter_response" else {}
    more |= {"noise_seed": 3, "n_mu": 0.2} if name == "noisy_batch" else {}
    layer = make_norm(name, 4, **REQUIRED.get(name, {}), **more)
    if name == "noisy_batch":
        layer.place(5, 7)
    layer(data(*IMAGES, seed=1))
    with torch.no_grad():
        for p in layer.parameters():
            p.add_(0.25)
    swapped = swap_norms(nn.Sequential(layer), name)[0]
    assert repr(swapped) == repr(layer) and swapped is not layer
    for key, value in layer.state_dict().items():
        assert torch.equal(swapped.state_dict()[key], value)
    for a, b in zip(outputs(swapped), outputs(layer), strict=True):
        assert torch.equal(a, b)


def test_an_option_given_changes_that_one_alone():
    layer = make_norm("batch_renorm", 4, r_max=1.5, d_max=0.5, momentum=0.3)
    swapped = swap_norms(nn.Sequential(layer), "batch_renorm", eps=0.1)[0]
    assert (swapped.r_max, swapped.d_max, swapped.momentum, swapped.eps) == (1.5, 0.5, 0.3, 0.1)
    ghost = make_norm("ghost_batch", 4, ghost_size=2)
    assert swap_norms(nn.Sequential(ghost), "ghost_batch", eps=0.1)[0].ghost_size == 2


class Halved(BatchNorm):
    def _normalize(self, x):
        return super()._normalize(x) / 2


class OnlyNamed(BatchNorm):
    pass


def test_subclasses_of_bnlabs_that_compute_something_else_are_refused():
    with pytest.raises(ValueError, match="computes something else than its base BatchNorm"):
        swap_norms(nn.Sequential(Halved(4)), "batch")
    assert type(swap_norms(nn.Sequential(OnlyNamed(4)), "layer")[0]) is NORMS["layer"]


def patched(layer):
    layer.forward = lambda x: x


def saved_hook(layer):
    layer._register_state_dict_hook(lambda *_: None)


def loaded_hook(layer):
    layer.register_load_state_dict_post_hook(lambda *_: None)


ADDED = {
    "forward exchanged": (patched, "forward method"),
    "state_dict hook": (saved_hook, "hooks for its state_dict"),
    "load hook": (loaded_hook, "hooks for its state_dict"),
    "pruned": (lambda layer: prune.random_unstructured(layer, "weight", 0.5), "weight_orig"),
}


@pytest.mark.parametrize("added", ADDED)
@pytest.mark.parametrize("make", [lambda: nn.BatchNorm2d(4), lambda: nn.GroupNorm(2, 4)])
def test_what_was_added_to_a_normalizer_is_kept_or_refused(make, added):
    add, reason = ADDED[added]
    layer = make()
    add(layer)
    with pytest.raises(ValueError, match=f"0: .*{reason}"):
        swap_norms(nn.Sequential(layer), "layer")


def test_the_tensors_of_an_older_weight_norm_are_refused():
    layer = nn.LayerNorm(4)
    layer.register_parameter("weight_g", nn.Parameter(torch.ones(1)))
    with pytest.raises(ValueError, match="weight_g beside its weight and bias"):
        swap_norms(nn.Sequential(layer), "layer")


def test_hooks_inside_of_an_adapter_go_along():
    first = swap_norms(nn.Sequential(nn.LayerNorm(4)), "layer")
    seen = []
    first[0].norm.register_forward_hook(lambda module, args, out: seen.append(type(module)))
    first[0].register_forward_hook(lambda module, args, out: seen.append(type(module)))
    swap_norms(first, "rms")(data(2, 3, 4))
    assert seen == [NORMS["rms"], ChannelsLast]
