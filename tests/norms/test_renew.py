"""Running statistics change in place: whoever holds the tensor sees them move."""

import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, hessian, jvp, stack_module_state, vmap

from bnlab.norms import recompute_statistics
from bnlab.norms.renew import assigned
from bnlab.norms.sync import SyncBatchNorm
from tests.norms.norm_cases import RUNNING, one_case

every_norm = pytest.mark.parametrize("name", RUNNING)
SCHEDULE = {"schedule": {"warmup": 0, "r_end": 3, "d_end": 2}}


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return 2 + torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


def layer_of(name: str, **options: object) -> nn.Module:
    more = SCHEDULE if name == "batch_renorm" else {}
    return one_case(name, (8, 6)).layer(**more, **options)


def after(layer: nn.Module, *batches: torch.Tensor) -> dict[str, torch.Tensor]:
    """The buffers after some batches in training mode; the layer stays as it is."""
    other = copy.deepcopy(layer)
    for x in batches:
        other(x)
    return dict(other.named_buffers())


def assert_equal(got, want, exact: bool = True):
    got, want = dict(got), dict(want)
    assert list(got) == list(want)
    for key, value in got.items():
        if exact:
            assert torch.equal(value, want[key]), key
        torch.testing.assert_close(value, want[key])


@every_norm
def test_the_buffers_stay_the_same_tensors_at_the_same_address(name):
    layer = layer_of(name).share_memory()
    before = {key: (buffer, buffer.data_ptr()) for key, buffer in layer.named_buffers()}
    want = after(layer, numbers(8, 6), numbers(8, 6, seed=1))
    layer(numbers(8, 6))
    layer(numbers(8, 6, seed=1))
    for key, buffer in layer.named_buffers():
        assert buffer is before[key][0] and buffer.data_ptr() == before[key][1]
        assert buffer.is_shared() and torch.equal(buffer, want[key])


@every_norm
@pytest.mark.parametrize("in_one_dict", [True, False], ids=["one dict", "two dicts"])
def test_functional_call_moves_the_buffers_that_it_was_given(name, in_one_dict):
    layer, x = layer_of(name), numbers(8, 6)
    own = {key: buffer.clone() for key, buffer in layer.named_buffers()}
    given = {key: buffer.clone() for key, buffer in own.items()}
    parameters = dict(layer.named_parameters())
    state = {**parameters, **given} if in_one_dict else (parameters, given)
    functional_call(layer, state, (x,))
    assert_equal(given, after(layer, x))
    assert_equal(layer.named_buffers(), own)


@every_norm
def test_a_replica_moves_the_statistics_of_the_model(name):
    layer, x = layer_of(name), numbers(8, 6)
    want = after(layer, x)
    replica = layer._replicate_for_data_parallel()
    replica._parameters, replica._buffers = layer._parameters, dict(layer._buffers)
    replica(x)
    assert_equal(layer.named_buffers(), want)


@every_norm
@pytest.mark.parametrize("with_gradient", [False, True], ids=["forward", "gradient"])
def test_an_ensemble_moves_the_buffers_of_each_of_its_nets(name, with_gradient):
    layers, xs = [layer_of(name) for _ in range(3)], numbers(3, 8, 6)
    parameters, buffers = stack_module_state(layers)

    def call(p, b, x):
        return functional_call(layers[0], (p, b), (x,)).pow(3).sum()

    vmap(grad(call) if with_gradient else call)(parameters, buffers, xs)
    for k, layer in enumerate(layers):
        want = after(layer, xs[k])
        assert_equal({key: b[k] for key, b in buffers.items()}, want, exact=False)


@every_norm
def test_one_set_of_statistics_for_many_inputs_is_refused(name):
    layer, xs = layer_of(name), numbers(3, 8, 6)
    before = {key: buffer.clone() for key, buffer in layer.named_buffers()}
    with pytest.raises(ValueError, match=r"in training mode would move its one .*stack_module_st"):
        vmap(layer)(xs)
    assert_equal(layer.named_buffers(), before)
    torch.testing.assert_close(vmap(layer.eval())(xs)[1], layer(xs[1]))


def of_gradient(layer, x):
    grad(lambda x: layer(x).pow(3).sum())(x)


def of_second(layer, x):
    grad(lambda x: grad(lambda x: layer(x).pow(3).sum())(x).sum())(x)


def of_hessian(layer, x):
    hessian(lambda x: layer(x).pow(3).sum())(x)


def of_jvp(layer, x):
    jvp(layer, (x,), (x,))


@every_norm
@pytest.mark.parametrize("transformed", [of_gradient, of_second, of_hessian, of_jvp])
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # in torch's own jvp
def test_a_derivative_leaves_ordinary_tensors_that_have_moved(name, transformed):
    layer, x = layer_of(name), numbers(8, 6)
    want = after(layer, x)
    objects = list(layer.buffers())
    transformed(layer, x)
    assert_equal(layer.named_buffers(), want, exact=False)
    assert all(a is b for a, b in zip(layer.buffers(), objects, strict=True))
    layer(x).sum().backward()
    copy.deepcopy(layer), layer.state_dict()


@every_norm
@pytest.mark.parametrize("native", [False, True], ids=["primitive", "native"])
def test_after_inference_mode_a_net_can_still_be_trained(name, native):
    layer, x = layer_of(name, native=native), numbers(8, 6)
    want = after(layer, x)
    with torch.inference_mode():
        layer(x)
        assert_equal(layer.named_buffers(), want)
    assert not any(buffer.is_inference() for buffer in layer.buffers())
    layer(x).sum().backward()


@every_norm
def test_statistics_that_inference_mode_made_are_exchanged_for_ordinary_ones(name):
    layer = layer_of(name)
    want = after(layer, numbers(8, 6))
    with torch.inference_mode():
        moving = {k: b.clone() for k, b in layer._buffers.items() if k != "noise_key"}
        layer._buffers.update(moving)
    layer(numbers(8, 6).requires_grad_()).sum().backward()
    assert_equal(layer.named_buffers(), want)
    assert not any(buffer.is_inference() for buffer in layer.buffers())


@every_norm
def test_assigned_statistics_are_new_tensors(name):
    layer, x = layer_of(name), numbers(8, 6)
    before = {key: buffer.clone() for key, buffer in layer.named_buffers()}
    objects, want = dict(layer.named_buffers()), after(layer, x)
    with assigned():
        layer(x)
    assert_equal(layer.named_buffers(), want)
    assert_equal(objects, before)


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(6), SyncBatchNorm(6)], ids=["torch", "sync"])
def test_sync_and_recomputed_statistics_move_in_place_too(layer):
    layer = layer.double()
    objects = dict(layer.named_buffers())
    layer(numbers(8, 6))
    moved = layer.running_mean.clone()
    with torch.inference_mode():
        recompute_statistics(layer, [numbers(8, 6)])
    assert all(buffer is objects[key] for key, buffer in layer.named_buffers())
    torch.testing.assert_close(layer.running_mean, 10 * moved)
    layer(numbers(8, 6)).sum().backward()
