"""BatchNorm: which statistics it uses, which it keeps, and how it travels."""

import copy
import pickle

import pytest
import torch
from torch.func import functional_call, grad, stack_module_state, vmap

from bnlab.norms import make_norm

both_kernels = pytest.mark.parametrize("native", [False, True], ids=["primitive", "native"])
X = torch.tensor([[1.0, 10.0], [3.0, 10.0], [5.0, 40.0]])  # means 3, 20; biased variances 8/3, 200


@both_kernels
def test_output_uses_the_biased_variance_and_the_running_one_is_unbiased(native):
    layer = make_norm("batch", 2, eps=0.0, momentum=1.0, native=native)
    y = layer(X)
    assert y[:, 0].tolist() == pytest.approx([-((3 / 2) ** 0.5), 0, (3 / 2) ** 0.5], abs=1e-6)
    assert layer.running_mean.tolist() == pytest.approx([3, 20])
    assert layer.running_var.tolist() == pytest.approx([4, 300])  # not 8/3 and 200


@both_kernels
@pytest.mark.parametrize("momentum", [0.0, 0.1, 0.75, 1.0])
def test_momentum_is_the_weight_of_the_newest_batch(native, momentum):
    layer = make_norm("batch", 2, momentum=momentum, native=native)
    layer(X)
    layer(X + 1)
    a, b = momentum, 1 - momentum
    assert layer.running_mean[0].item() == pytest.approx(a * 4 + b * a * 3, abs=1e-6)
    assert layer.running_var[0].item() == pytest.approx(a * 4 + b * a * 4 + b * b, rel=1e-6)


@both_kernels
def test_eval_does_not_depend_on_the_other_samples_and_moves_nothing(native):
    layer = make_norm("batch", 2, native=native)
    layer(X)
    before = copy.deepcopy(layer.state_dict())
    layer.eval()
    assert torch.equal(layer(X[:1]), layer(X)[:1])
    assert torch.equal(layer(X[:1])[0], layer(torch.stack([X[0], 1000 * X[1]]))[0])
    assert all(torch.equal(before[key], value) for key, value in layer.state_dict().items())


@both_kernels
def test_training_mode_does_depend_on_the_other_samples(native):
    layer = make_norm("batch", 2, native=native)
    assert not torch.allclose(layer(X)[0], layer(torch.stack([X[0], 1000 * X[1], X[2]]))[0])


@pytest.mark.parametrize("shape", [(8, 3), (4, 3, 5, 2)], ids=str)
def test_both_kernels_leave_the_same_running_statistics(shape):
    generator = torch.Generator().manual_seed(0)
    layers = [make_norm("batch", 3, native=native) for native in (False, True)]
    for _ in range(20):
        x = 3 * torch.randn(shape, generator=generator) + 1
        for layer in layers:
            layer(x)
    (_, mean), (_, var) = layers[0].named_buffers()
    torch.testing.assert_close(mean, layers[1].running_mean)
    torch.testing.assert_close(var, layers[1].running_var)
    assert not torch.allclose(mean, torch.zeros(3), atol=0.1)


@both_kernels
def test_statistics_carry_no_gradient_and_follow_under_no_grad_too(native):
    layer = make_norm("batch", 2, momentum=1.0, native=native)
    layer(X.clone().requires_grad_())
    assert not layer.running_mean.requires_grad and not layer.running_var.requires_grad
    with torch.no_grad():
        layer(X + 5)
    assert layer.running_mean.tolist() == pytest.approx([8, 25])


@both_kernels
def test_without_running_statistics_eval_uses_the_batch(native):
    layer = make_norm("batch", 2, track_running_stats=False, native=native)
    assert torch.equal(layer(X), layer.eval()(X))
    assert set(layer.state_dict()) == {"weight", "bias"}


@both_kernels
def test_state_dict_names_are_torchs_without_the_counter(native):
    layer = make_norm("batch", 2, native=native)
    layer(X)
    assert list(layer.state_dict()) == ["weight", "bias", "running_mean", "running_var"]
    others = set(torch.nn.BatchNorm1d(2).state_dict()) - set(layer.state_dict())
    assert others == {"num_batches_tracked"}


@both_kernels
@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_is_equal_and_independent(native, how):
    layer = make_norm("batch", 2, native=native)
    layer(X)
    other = how(layer)
    assert torch.equal(layer.eval()(X), other.eval()(X))
    before = layer.running_mean.clone()
    other.train()(X + 100)
    assert torch.equal(layer.running_mean, before)
    assert not torch.equal(other.running_mean, before)


def test_a_functional_call_changes_only_what_it_was_given():
    layer = make_norm("batch", 2, momentum=1.0)
    buffers = {name: buffer.clone() for name, buffer in layer.named_buffers()}
    state = {**dict(layer.named_parameters()), **buffers}
    functional_call(layer, state, (X,))
    assert state["running_mean"].tolist() == pytest.approx([3, 20])
    assert layer.running_mean.tolist() == [0, 0]


def test_vmap_over_stacked_layers_equals_one_layer_after_the_other():
    """What a training of many nets at once rests on: values, gradients, running statistics."""
    layers = [make_norm("batch", 2) for _ in range(3)]
    for k, layer in enumerate(layers):
        torch.nn.init.constant_(layer.weight, k + 1.0)
    xs = torch.stack([X, 2 * X, X.flip(0) - 7])
    params, buffers = stack_module_state(layers)
    template = make_norm("batch", 2)

    def loss(params, buffers, x):
        state = {**params, **buffers}
        y = functional_call(template, state, (x,))
        return y.pow(3).sum(), (y, {name: state[name] for name in buffers})

    grads, (ys, new_buffers) = vmap(grad(loss, has_aux=True))(params, buffers, xs)
    for k, layer in enumerate(layers):
        y = layer(xs[k])
        y.pow(3).sum().backward()
        torch.testing.assert_close(ys[k], y)
        torch.testing.assert_close(grads["weight"][k], layer.weight.grad, rtol=1e-4, atol=1e-4)
        for name, buffer in layer.named_buffers():
            torch.testing.assert_close(new_buffers[name][k], buffer)
