"""What ``diagnose`` takes, refuses and leaves as it was."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.doctor import diagnose
from tests.doctor.patients import FEATURES, conv, images, mlp, rows
from tests.doctor.slips import SLIPS


class Keywords(nn.Module):
    """Takes inputs by name, of which one may be left out."""

    def __init__(self):
        super().__init__()
        self.net = mlp()

    def forward(self, x, mask=None):
        return {"out": self.net(x if mask is None else x * mask)}


class OneDict(nn.Module):
    """Takes one dict."""

    def __init__(self):
        super().__init__()
        self.net = mlp()

    def forward(self, batch):
        return (self.net(batch["rows"]), None)


class Two(nn.Module):
    """Takes two inputs."""

    def __init__(self):
        super().__init__()
        self.net = mlp()

    def forward(self, first, second):
        return self.net(first + second)


@pytest.mark.parametrize(
    ("model", "batch"),
    [
        (mlp(), rows()),
        (mlp(), [rows(), torch.zeros(64)]),
        (mlp(), (rows(),)),
        (Keywords(), {"x": rows()}),
        (Keywords(), {"x": rows(), "mask": torch.ones(64, FEATURES)}),
        (Keywords(), [rows(), torch.zeros(64, dtype=torch.long)]),
        (OneDict(), {"rows": rows(), "labels": torch.zeros(64)}),
        (Two(), (rows(), rows())),
        (Two(), [rows(), rows(), torch.zeros(64)]),
        (mlp().double(), rows().double()),
        (mlp().eval(), rows()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_batches_of_every_kind(model, batch):
    assert diagnose(model, batch).ids == ()
    assert diagnose(model, batch, accumulate=4).ids == ("accumulation",)


def test_what_is_not_given_to_the_model_is_said():
    (said,) = diagnose(mlp(), [rows(), torch.zeros(64)]).left_out
    assert said == "forward requires 1 of the 2 items of batch; the last 1 were not given to it."


def state(model):
    return {
        "tensors": {name: value.clone() for name, value in model.state_dict().items()},
        "objects": [id(value) for value in (*model.parameters(), *model.buffers())],
        "modes": [module.training for module in model.modules()],
        "gradients": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "hooks": [
            len(module._forward_hooks) + len(module._forward_pre_hooks)
            for module in model.modules()
        ],
    }


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a.nan_to_num(7.5), b.nan_to_num(7.5))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


@pytest.mark.usefixtures("torch_random_state_stays")
@pytest.mark.parametrize("name", SLIPS)
def test_the_model_is_as_before(name):
    with torch.random.fork_rng():
        patient = SLIPS[name].make()
    before, numbers = state(patient.model), (random.getstate(), np.random.get_state()[1].tolist())
    patient.told["independent"] = True
    patient.diagnose()
    assert equal(before, state(patient.model))
    assert numbers == (random.getstate(), np.random.get_state()[1].tolist())


def test_two_examinations_say_the_same():
    patient = SLIPS["dropout before BatchNorm"].make()
    torch.manual_seed(3)
    first = patient.diagnose()
    torch.manual_seed(3)
    assert str(patient.diagnose()) == str(first)


def test_gradients_between_forward_and_backward_are_not_disturbed():
    model, x = mlp(), rows()
    loss = model(x).square().mean()
    diagnose(model, x, independent=True)
    loss.backward()
    twin = mlp()
    twin(x).square().mean().backward()
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_works_where_gradients_are_off(context):
    model, x = conv(), images()
    with context():
        found = diagnose(model, x, independent=True)
    assert found.ids == ("samples-see-each-other",)
    assert found.findings[0].saw.startswith("In training mode, the gradient of one sample")
    model(x).sum().backward()


class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.LazyLinear(3)

    def forward(self, x):
        return self.layer(x)


@pytest.mark.parametrize(
    ("model", "batch", "told", "said"),
    [
        (mlp(), 3, {}, "batch must be a tensor, a tuple or list"),
        (mlp(), [], {}, "without items"),
        (mlp(), "rows", {}, "got str"),
        (mlp(), {"y": rows()}, {}, None),
        (Two(), {"a": rows()}, {}, "Name the inputs as forward does"),
        (mlp(), [1, 2], {}, "batch holds no tensor"),
        (mlp(), torch.tensor(1.0), {}, "first axis of samples"),
        (mlp(), rows(0), {}, "batch has no samples"),
        (mlp(), rows() * torch.nan, {}, "NaN or infinity"),
        (mlp(), images(), {}, "model cannot take this batch: ValueError"),
        (mlp(), rows().double(), {}, "model cannot take this batch"),
        (mlp().to("meta"), rows(), {}, r"batch is on cpu and the model on meta. Call batch.to"),
        (Lazy(), rows(), {}, "lazy layers"),
        (mlp(), rows(), {"accumulate": 0}, "accumulate must be 1 or more"),
        (mlp(), rows(), {"steps": -3}, "steps must be 1 or more"),
        (mlp(), rows(), {"optimizer": [3]}, "optimizer must be"),
        (mlp, rows(), {}, "model must be a torch module"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(model, batch, told, said):
    with pytest.raises(ValueError, match=said) as caught:
        diagnose(model, batch, **told)
    assert str(caught.value).rstrip(")").endswith(".")


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_a_scripted_model_is_refused():
    with pytest.raises(ValueError, match="scripted"):
        diagnose(torch.jit.script(nn.Sequential(nn.Linear(2, 2))), torch.ones(8, 2))
