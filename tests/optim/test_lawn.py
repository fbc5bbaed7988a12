"""LAWN against its formula, step by step, in float64; and what has to hold over a run."""

import copy
import io
import json
import pickle
import re

import pytest
import torch
from torch import nn

from bnlab.nets import make_net
from bnlab.norms.weight import normalize_weights
from bnlab.optim import LAWN, constrained_weights, tangent

BASES = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.0),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.003, momentum=0.5),
}
every_base = pytest.mark.parametrize("base", BASES)


def net(dtype=torch.float32, name: str = "mlp", norm: str = "none") -> nn.Module:
    return make_net(name, (1, 8, 8), 10, 2, 16, norm, seed=0).to(dtype)


def batch(step: int, dtype=torch.float32):
    generator = torch.Generator().manual_seed(step)
    x = torch.randn(16, 1, 8, 8, generator=generator).to(dtype)
    return x, torch.randint(10, (16,), generator=generator)


def loss_of(model: nn.Module, step: int) -> torch.Tensor:
    x, y = batch(step, next(model.parameters()).dtype)
    return nn.functional.cross_entropy(model(x), y)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps, closure: bool = False):
    """Train; the losses."""
    losses = []
    for step in steps:

        def loss(step=step):
            optimizer.zero_grad()
            value = loss_of(model, step)
            value.backward()
            return value

        losses.append((optimizer.step(loss) if closure else _step(loss, optimizer)).item())
    return losses


def _step(loss, optimizer):
    value = loss()
    optimizer.step()
    return value


def norms(weights) -> torch.Tensor:
    return torch.stack([w.detach().double().norm() for w in weights])


@every_base
@pytest.mark.parametrize("closure", [False, True])
@pytest.mark.parametrize("free_steps", [None, 30])
def test_while_free_it_is_the_base_optimizer_bit_for_bit(base, closure, free_steps):
    plain, wrapped = net(), net()
    optimizer = LAWN(BASES[base](wrapped.parameters()), constrained_weights(wrapped), free_steps)
    other = BASES[base](plain.parameters())
    losses = train(plain, other, range(30), closure)
    assert train(wrapped, optimizer, range(30), closure) == losses
    for p, q in zip(plain.parameters(), wrapped.parameters(), strict=True):
        assert torch.equal(p, q)
    if free_steps is not None:  # and no longer
        assert optimizer.phase == "constrained"
        train(plain, other, [30])
        train(wrapped, optimizer, [30])
        assert not torch.equal(plain.head.weight, wrapped.head.weight)


@every_base
@pytest.mark.parametrize("free_steps", [0, 10])
def test_norms_stay_to_one_millionth_over_200_steps(base, free_steps):
    model = net()
    weights = constrained_weights(model)
    optimizer = LAWN(BASES[base](model.parameters()), weights, free_steps)
    start = norms(weights)
    train(model, optimizer, range(free_steps))
    frozen = norms(weights)
    assert free_steps == 0 or ((frozen / start - 1).abs() > 1e-4).all(), "free norms must move"
    before = [w.detach().clone() for w in weights]
    for step in range(200):
        train(model, optimizer, [free_steps + step])
        assert (norms(weights) / frozen - 1).abs().max() < 1e-6
    assert all((w - b).norm() > 1e-2 * b.norm() for w, b in zip(weights, before, strict=True))
    assert train(model, optimizer, [0])[0] < loss_of(net(), 0).item(), "it must learn"


class Reference:
    """SGD with momentum or Adam on projected gradients, both projections, retraction; by hand."""

    def __init__(self, base: str, weights: list[torch.Tensor], all_params: list[torch.Tensor]):
        self.base, self.t = base, 0
        self.norm = {id(w): w.norm() for w in weights}
        self.m = {id(p): torch.zeros_like(p) for p in all_params}
        self.v = {id(p): torch.zeros_like(p) for p in all_params}

    def direction(self, p: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        m, v = self.m[id(p)], self.v[id(p)]
        if self.base == "momentum":
            m.copy_(0.9 * m + g)
            return -0.1 * m
        m.copy_(0.9 * m + 0.1 * g)
        v.copy_(0.999 * v + 0.001 * g * g)
        m_hat, v_hat = m / (1 - 0.9**self.t), v / (1 - 0.999**self.t)
        return -0.01 * m_hat / (v_hat.sqrt() + 1e-8)

    def step(self, params: list[torch.Tensor]) -> float:
        self.t += 1
        largest = 0.0
        for p in params:
            if id(p) not in self.norm:
                p.data += self.direction(p, p.grad)
                continue
            u = p.data / p.data.norm()
            move = self.direction(p, p.grad - (p.grad * u).sum() * u)
            radial = (move * u).sum()
            largest = max(largest, (radial.abs() / move.norm()).item())
            new = p.data + (move - radial * u)
            assert abs(((new - p.data) * u).sum()) < 1e-14, "orthogonal before the retraction"
            p.data = self.norm[id(p)] * new / new.norm()
        return largest


@pytest.mark.parametrize("base, radial", [("momentum", 1e-6), ("adam", 1e-3)])
def test_each_step_follows_the_formula(base, radial):
    model, other = net(torch.float64), net(torch.float64)
    optimizer = LAWN(BASES[base](model.parameters()), constrained_weights(model), 0)
    params = list(other.parameters())
    reference = Reference(base, constrained_weights(other), params)
    largest = 0.0
    for step in range(20):
        train(model, optimizer, [step])
        other.zero_grad()
        loss_of(other, step).backward()
        largest = max(largest, reference.step(params))
        for p, q in zip(model.parameters(), params, strict=True):
            torch.testing.assert_close(p, q, rtol=0, atol=1e-12)
    assert largest > radial, "else the second projection would have nothing to do"


def test_the_tangent_is_orthogonal_and_keeps_what_is():
    generator = torch.Generator().manual_seed(0)
    w, v = torch.randn(2, 4, 5, 3, generator=generator, dtype=torch.float64)
    t = tangent(v, w)
    assert abs((t * w).sum()) < 1e-13
    torch.testing.assert_close(v - t, (v * w).sum() / w.square().sum() * w, rtol=0, atol=1e-14)
    torch.testing.assert_close(tangent(t, w), t, rtol=0, atol=1e-14)


@every_base
def test_gradients_that_the_base_sees_are_orthogonal_to_the_weights(base):
    model = net(torch.float64)
    weights = constrained_weights(model)
    optimizer = LAWN(BASES[base](model.parameters()), weights, 0)
    seen = []

    def look(*_):
        seen.extend((abs((w.grad * w).sum()) / w.grad.norm() / w.norm()).item() for w in weights)

    optimizer.base.register_step_pre_hook(look)
    train(model, optimizer, range(5))
    assert len(seen) == 5 * len(weights) and max(seen) < 1e-12


def test_a_closure_gives_the_same_run_as_a_step_after_backward():
    runs = []
    for closure in (False, True):
        model = net()
        optimizer = LAWN(BASES["adam"](model.parameters()), constrained_weights(model), 2)
        runs.append((train(model, optimizer, range(6), closure), model.state_dict()))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(runs[0][1][k], runs[1][1][k]) for k in runs[0][1])


def test_lbfgs_works_by_its_closure():
    model = net()
    weights = constrained_weights(model)
    base = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3)
    optimizer = LAWN(base, weights, 0)
    start = norms(weights)
    losses = train(model, optimizer, [0] * 5, closure=True)
    assert (norms(weights) / start - 1).abs().max() < 1e-6 and losses[-1] < losses[0]


def test_only_the_constrained_tensors_are_constrained():
    model = net()
    head = model.head.weight
    optimizer = LAWN(BASES["sgd"](model.parameters()), [head], 0)
    first, bias = model.body[1].weight, model.head.bias
    start = norms([head, first, bias])
    train(model, optimizer, range(20))
    change = (norms([head, first, bias]) - start).abs()
    assert change[0] < 1e-6 and (change[1:] > 1e-3).all()


def test_tensors_without_a_gradient_stay_bit_for_bit():
    """A retraction that is not needed would change some of them by a rounding."""
    generator = torch.Generator().manual_seed(0)
    weights = [nn.Parameter(torch.randn(9, 7, generator=generator)) for _ in range(30)]
    before = [w.detach().clone() for w in weights]
    optimizer = LAWN(BASES["adam"](weights), weights, 0)
    weights[0].grad = torch.ones(9, 7)
    optimizer.step()
    assert not torch.equal(weights[0], before[0])
    assert all(torch.equal(w, b) for w, b in zip(weights[1:], before[1:], strict=True))


@every_base
@pytest.mark.parametrize("stop", [3, 8], ids=["while free", "while constrained"])
def test_a_state_dict_continues_the_run_bit_for_bit(base, stop):
    def made():
        model = net()
        return model, LAWN(BASES[base](model.parameters()), constrained_weights(model), 5)

    model, optimizer = made()
    train(model, optimizer, range(stop))
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    other, restored = made()
    state = torch.load(file, weights_only=True)
    other.load_state_dict(state["model"])
    restored.load_state_dict(state["optimizer"])
    assert restored.phase == optimizer.phase and restored.steps == stop
    assert train(model, optimizer, range(stop, 12)) == train(other, restored, range(stop, 12))
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q)
    json.dumps({k: v for k, v in optimizer.state_dict().items() if k != "base"})


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_and_pickles_carry_model_and_optimizer_on(clone):
    model = net()
    optimizer = LAWN(BASES["adam"](model.parameters()), constrained_weights(model), 2)
    train(model, optimizer, range(4))
    twin, twin_optimizer = clone((model, optimizer))
    assert train(model, optimizer, range(4, 8)) == train(twin, twin_optimizer, range(4, 8))
    twin_optimizer.param_groups[0]["lr"] = 0.0
    assert optimizer.base.param_groups[0]["lr"] > 0


def test_schedulers_hooks_and_new_groups_reach_the_base():
    model = net()
    extra = nn.Parameter(torch.ones(2))
    optimizer = LAWN(BASES["sgd"](model.parameters()), constrained_weights(model), 1)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    calls = []
    optimizer.register_step_post_hook(lambda *_: calls.append(optimizer.steps))
    optimizer.add_param_group({"params": [extra], "lr": 0.3})
    for step in range(3):
        train(model, optimizer, [step])
        schedule.step()
    assert calls == [1, 2, 3]
    assert optimizer.base.param_groups is optimizer.param_groups
    assert optimizer.base.param_groups[0]["lr"] == pytest.approx(0.1 / 8)
    assert optimizer.base.param_groups[1]["params"] == [extra]
    after = copy.deepcopy(optimizer.state_dict())
    optimizer.load_state_dict(after)
    assert optimizer.param_groups is optimizer.base.param_groups
    assert optimizer.state is optimizer.base.state


@pytest.mark.parametrize("norm, tail", [("none", 3), ("batch", 1)])
def test_the_tail_is_what_follows_the_last_normalizer(norm, tail):
    model = net(norm=norm)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    got_all, got_tail = constrained_weights(model), constrained_weights(model, "tail")
    assert [id(p) for p in got_all] == [id(p) for p in matrices]
    assert [id(p) for p in got_tail] == [id(p) for p in matrices[-tail:]]


def test_repr_says_what_it_wraps():
    model = net()
    text = repr(LAWN(BASES["sgd"](model.parameters()), constrained_weights(model), 7))
    assert text.startswith("LAWN(SGD") and "3 tensors" in text and "free_steps=7" in text


# --- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize("free_steps", [-1, 2.0, True, "3"])
def test_free_steps_must_be_a_count(free_steps):
    model = net()
    with pytest.raises(ValueError, match=r"free_steps must be (zero, a|a whole number)"):
        LAWN(BASES["sgd"](model.parameters()), constrained_weights(model), free_steps)


def test_errors_say_what_to_do():
    model = net()
    weights = constrained_weights(model)
    base = BASES["sgd"](model.parameters())
    with pytest.raises(TypeError, match="base must be a torch optimizer, got MLP"):
        LAWN(model, weights, 0)
    with pytest.raises(ValueError, match="constrained is empty"):
        LAWN(base, [], 0)
    with pytest.raises(ValueError, match=r"number 1, shape \(2,\), is not among the parameters"):
        LAWN(base, [weights[0], torch.ones(2)], 0)
    with pytest.raises(ValueError, match=r"stands in for weight decay: set weight_decay=0"):
        LAWN(torch.optim.AdamW(model.parameters()), weights, 0)
    with pytest.raises(ValueError, match=re.escape("unknown part 'tial'. Did you mean 'tail'?")):
        constrained_weights(model, "tial")
    with pytest.raises(ValueError, match="this Sequential has no Linear or Conv weights to const"):
        constrained_weights(nn.Sequential(nn.ReLU()))
    normalize_weights(model, "weight_mean")
    with pytest.raises(ValueError, match=r"layer 'body.1' computes its weight.*remove_weight_norm"):
        constrained_weights(model)


def test_other_groups_may_have_weight_decay():
    model = net()
    weights = constrained_weights(model)
    biases = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": weights}, {"params": biases, "weight_decay": 0.1}]
    train(model, LAWN(torch.optim.SGD(groups, lr=0.1), weights, 0), range(2))


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_a_tensor_without_a_direction_is_refused_before_anything_moves(value):
    model = net()
    weights = constrained_weights(model)
    optimizer = LAWN(BASES["sgd"](model.parameters()), weights, 1)
    train(model, optimizer, [0])
    nn.init.constant_(weights[1], value)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match=r"number 1, shape \(16, 16\), has norm .*no direction"):
        train(model, optimizer, [1])
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0, equal_nan=True)


def test_states_of_something_else_are_refused():
    model = net()
    optimizer = LAWN(BASES["sgd"](model.parameters()), constrained_weights(model), 0)
    with pytest.raises(ValueError, match=r"has no base, norms, steps: it is not that of a LAWN"):
        optimizer.load_state_dict(optimizer.base.state_dict())
    train(model, optimizer, [0])
    fewer = LAWN(BASES["sgd"](model.parameters()), [model.head.weight], 0)
    with pytest.raises(ValueError, match="this state has 3 constrained tensors, this LAWN 1"):
        fewer.load_state_dict(optimizer.state_dict())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_norms_stay_on_cuda():
    model = net().cuda()
    weights = constrained_weights(model)
    optimizer = LAWN(BASES["adam"](model.parameters()), weights, 0)
    start = norms(weights)
    for step in range(50):
        x, y = batch(step)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x.cuda()), y.cuda()).backward()
        optimizer.step()
    assert (norms(weights) / start - 1).abs().max() < 1e-6
