"""What holds for any input: invariances, and how the normalizers are related."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bnlab.norms import make_norm

seeds = st.integers(0, 2**16)
factors = st.floats(0.1, 100) | st.floats(-100, -0.1)
shifts = st.floats(-100, 100)
natives = st.booleans()
names = st.sampled_from(["batch", "layer", "group", "instance"])


@st.composite
def inputs(draw, min_samples=2, images=None):
    """(N, C) or (N, C, H, W), C even, float64, no two values alike."""
    is_image = draw(st.booleans()) if images is None else images
    shape = [draw(st.integers(min_samples, 6)), 2 * draw(st.integers(2, 4))]
    if is_image:
        shape += [draw(st.integers(2, 4)), draw(st.integers(1, 4))]
    generator = torch.Generator().manual_seed(draw(seeds))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def normalizer(name: str, channels: int, **options) -> nn.Module:
    """Any normalizer, in float64, without eps: with it the invariances hold nearly only."""
    if name == "group":
        options["group_size"] = channels // 2
    return make_norm(name, channels, eps=options.pop("eps", 0.0), **options).double()


def near(a: torch.Tensor, b: torch.Tensor, tolerance: float = 1e-9) -> bool:
    return torch.allclose(a, b, rtol=tolerance, atol=tolerance)


@given(names, inputs(images=True), factors, shifts, natives)
def test_shifting_and_scaling_the_input_changes_nothing_but_the_sign(name, x, a, b, native):
    norm = normalizer(name, x.shape[1], native=native)
    assert near(norm(a * x + b), norm(x) * (1 if a > 0 else -1), 1e-7)


@given(inputs(), seeds, natives)
def test_batch_norm_ignores_a_shift_and_a_scale_of_each_channel(x, seed, native):
    rng = torch.Generator().manual_seed(seed)
    size = (1, x.shape[1], *[1] * (x.ndim - 2))
    a = torch.rand(size, generator=rng, dtype=torch.float64) + 0.1
    b = torch.randn(size, generator=rng, dtype=torch.float64)
    norm = normalizer("batch", x.shape[1], native=native)
    assert near(norm(a * x + b), norm(x), 1e-7)


@given(st.sampled_from(["layer", "group"]), inputs(min_samples=1), seeds, natives)
def test_layer_and_group_norm_ignore_a_shift_and_a_scale_of_each_sample(name, x, seed, native):
    rng = torch.Generator().manual_seed(seed)
    size = (x.shape[0], *[1] * (x.ndim - 1))
    a = torch.rand(size, generator=rng, dtype=torch.float64) + 0.1
    b = torch.randn(size, generator=rng, dtype=torch.float64)
    norm = normalizer(name, x.shape[1], native=native)
    assert near(norm(a * x + b), norm(x), 1e-7)


@given(names, inputs(images=True), st.floats(0, 10))
def test_mean_is_zero_and_variance_is_var_over_var_plus_eps(name, x, eps):
    n, c = x.shape[:2]
    y = normalizer(name, c, eps=eps)(x)
    groups = {"layer": 1, "group": 2, "instance": c}

    def rows(t):
        return (
            t.transpose(0, 1).reshape(c, -1) if name == "batch" else t.reshape(n * groups[name], -1)
        )

    var = rows(x).var(1, unbiased=False)
    assert rows(y).mean(1).abs().max() < 1e-9
    assert near(rows(y).var(1, unbiased=False), var / (var + eps))


@given(inputs(min_samples=1), natives)
def test_one_group_of_all_channels_is_layer_norm(x, native):
    c = x.shape[1]
    layer = make_norm("layer", c, native=native).double()
    assert near(make_norm("group", c, group_size=c, native=native).double()(x), layer(x), 1e-13)
    assert near(make_norm("group", c, num_groups=1, native=native).double()(x), layer(x), 1e-13)


@given(inputs(min_samples=1, images=True), natives)
def test_groups_of_one_channel_are_instance_norm(x, native):
    c = x.shape[1]
    instance = make_norm("instance", c, native=native).double()
    assert torch.equal(make_norm("group", c, group_size=1, native=native).double()(x), instance(x))
    assert torch.equal(make_norm("group", c, num_groups=c, native=native).double()(x), instance(x))


@given(inputs(min_samples=1, images=True), natives)
def test_batch_norm_of_one_sample_is_instance_norm(x, native):
    x = x[:1]
    batch, instance = (normalizer(n, x.shape[1], native=native) for n in ("batch", "instance"))
    assert near(batch(x), instance(x))


@given(names, inputs(images=True), st.randoms(use_true_random=False), natives)
def test_permuting_the_samples_permutes_the_outputs(name, x, random, native):
    order = list(range(len(x)))
    random.shuffle(order)
    norm = normalizer(name, x.shape[1], native=native)
    assert near(norm(x[order]), norm(x)[order])


@given(st.sampled_from(["layer", "group", "instance"]), inputs(images=True), natives)
def test_a_sample_alone_gives_what_it_gives_in_a_batch_except_for_batch_norm(name, x, native):
    norm = normalizer(name, x.shape[1], native=native)
    assert near(norm(x[:1]), norm(x)[:1])
    batch = normalizer("batch", x.shape[1], native=native)
    assert not near(batch(x[:1]), batch(x)[:1], 1e-3)


@given(inputs(min_samples=3, images=False), st.floats(0.1, 100), seeds, natives)
def test_scaling_the_weights_before_batch_norm_divides_their_gradient(x, a, seed, native):
    """W -> a W leaves the output, and dL/d(aW) = (1/a) dL/dW."""
    rng = torch.Generator().manual_seed(seed)
    shape = (3, x.shape[1])
    weights = torch.randn(shape, generator=rng, dtype=torch.float64)
    target = torch.randn(len(x), 3, generator=rng, dtype=torch.float64)

    def output_and_gradient(w):
        w = w.clone().requires_grad_()
        y = normalizer("batch", 3, native=native)(nn.functional.linear(x, w))
        (y - target).pow(3).sum().backward()
        return y.detach(), w.grad

    (y, grad), (scaled_y, scaled_grad) = map(output_and_gradient, (weights, a * weights))
    assert near(scaled_y, y, 1e-6)
    assert near(a * scaled_grad, grad, 1e-5)
    assert abs((grad * weights).sum(1)).max() < 1e-5 * (1 + grad.abs().max())  # orthogonal to W
