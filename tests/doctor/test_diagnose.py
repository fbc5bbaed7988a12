"""What ``diagnose`` takes, refuses and leaves as it was."""

import copy
import random

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.doctor import diagnose
from bnlab.norms import NormReading, make_norm, register_norm
from tests.doctor.slips import (
    FEATURES,
    SLIPS,
    WIDTH,
    Residual,
    conv,
    diverged,
    images,
    mlp,
    rows,
    trained,
)


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


def test_it_prints_as_sentences_and_in_notebooks():
    patient = SLIPS["frozen BatchNorm"].make()
    diagnosis = patient.diagnose()
    text = str(diagnosis)
    assert text.startswith("1 finding (2 normalizers looked at).\nwrong: frozen-not-frozen. Weight")
    assert '      for name in ["1"]:\n          layer = model.get_submodule(name)' in text
    page = diagnosis._repr_html_()
    assert page.count("<p>") == page.count("</p>") and "<pre>for name in [&quot;1&quot;]" in page
    healthy = str(diagnose(conv(), images()))
    assert healthy == "No finding (2 normalizers looked at)."


def test_without_a_normalizer_that_is_said():
    diagnosis = diagnose(nn.Linear(FEATURES, 2), rows())
    assert diagnosis.ids == ()
    assert diagnosis.left_out == ("the model has no normalizer that bnlab knows.",)


def test_several_slips_are_told_at_once():
    model = mlp(momentum=0.0)
    model[1].requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    found = diagnose(model, rows(4), optimizer=optimizer, accumulate=2)
    assert set(found.ids) == {"small-batch", "accumulation", "momentum-zero", "weight-decay"}


@pytest.mark.parametrize(
    ("told", "ids"),
    [({}, ()), ({"trained": True}, ("statistics-untouched",)), ({"trained": False}, ())],
)
def test_whether_a_net_is_trained_can_be_told(told, ids):
    assert diagnose(mlp(affine=False), rows(), **told).ids == ids


def test_the_state_of_an_optimizer_tells_that_a_net_is_trained():
    model = mlp(affine=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model.eval()(rows()).square().mean().backward()
    optimizer.step()
    found = diagnose(model.train(), rows(), optimizer=optimizer)
    assert found.ids == ("statistics-untouched",)


def test_random_numbers_are_not_compared_with_statistics():
    model = trained()
    strange = rows() * 10 + 50
    assert "statistics-far" in diagnose(model, strange).ids
    found = diagnose(model, strange, representative=False)
    assert found.ids == () and "not like the training data" in found.left_out[0]


def test_few_steps_of_a_run_are_a_note():
    model = mlp()
    with torch.no_grad():
        model(rows() * 5 + 20)
    found = diagnose(model, rows() * 5 + 20)
    assert found.ids == () and "statistics-young" in [note.id for note in found.notes]


@pytest.mark.parametrize("name", ["batch", "batch_renorm", "ghost_batch"])
def test_normalizers_of_bnlab_are_known(name):
    options = {"ghost_size": 8} if name == "ghost_batch" else {}
    model = nn.Sequential(nn.Linear(FEATURES, WIDTH), make_norm(name, WIDTH, **options))
    (finding,) = diagnose(model, rows(), accumulate=4).findings
    assert (finding.id, finding.layers) == ("accumulation", ("1",))
    model[1].requires_grad_(False)
    assert diagnose(model, rows()).ids == ("frozen-not-frozen",)


class Odd(nn.Module):
    """A batch norm of a class of the reader's own."""

    def __init__(self, width):
        super().__init__()
        self.gain, self.shift = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("width", torch.ones(width))

    def forward(self, x):
        y = nn.functional.batch_norm(x, self.centre, self.width, training=self.training)
        return y * self.gain + self.shift


def test_a_registered_normalizer_is_known():
    def read(module):
        return NormReading(
            "batch",
            len(module.gain),
            1e-5,
            {"weight": module.gain, "bias": module.shift},
            {"running_mean": module.centre, "running_var": module.width},
            axes=(2,),
            momentum=0.1,
        )

    register_norm(Odd, read)
    model = nn.Sequential(nn.Linear(FEATURES, WIDTH), Odd(WIDTH))
    model[1].width[0] = torch.nan
    (finding,) = diagnose(model, rows()).findings
    assert (finding.id, finding.layers) == ("statistics-not-finite", ("1",))
    nn.init.zeros_(model[1].gain)
    nn.init.ones_(model[1].width)
    assert diagnose(model, rows()).ids == ("zero-gamma",)


@pytest.mark.parametrize("training", [True, False])
def test_a_frozen_layer_of_a_model_in_evaluation_mode_is_a_note(training):
    model = mlp()
    model[1].requires_grad_(False)
    found = diagnose(model.train(training), rows())
    assert bool(found.ids) == training
    assert "frozen-not-frozen" in [one.id for one in (*found.findings, *found.notes)]


def test_a_model_that_keeps_its_frozen_layers_in_evaluation_mode_is_healthy():
    class Careful(Residual):
        def train(self, mode=True):
            super().train(mode)
            self.norm1.eval()
            return self

    model = Careful()
    model.norm1.requires_grad_(False)
    for training in (True, False):
        found = diagnose(model.train(training), images())
        assert found.ids == () and not found.notes


def test_taking_out_a_bias_before_a_norm_changes_nothing():
    model, x = trained(), rows()
    before = copy.deepcopy(model).eval()(x)
    note = next(note for note in diagnose(model, x).notes if note.id == "bias-before-norm")
    assert note.layers == ("0",)
    with torch.no_grad():
        exec(note.code, {"model": model})
    assert torch.allclose(model.eval()(x), before, atol=1e-5)
    assert "bias-before-norm" not in [note.id for note in diagnose(model, x).notes]


def test_a_momentum_of_the_other_convention_is_a_note():
    model = mlp(momentum=0.99)
    found = diagnose(model, rows())
    note = next(note for note in found.notes if note.id == "momentum-large")
    assert found.ids == () and note.layers == ("1", "4")
    exec(note.code, {"model": model})
    assert "momentum-large" not in [note.id for note in diagnose(model, rows()).notes]


def test_a_bias_that_something_else_takes_too_is_not_told():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.norm = nn.Linear(FEATURES, WIDTH), nn.BatchNorm1d(WIDTH)

        def forward(self, x):
            x = self.first(x)
            return self.norm(x) + x

    assert "bias-before-norm" not in [note.id for note in diagnose(Twice(), rows()).notes]


def test_weights_that_are_not_finite_hide_nothing_else():
    patient = diverged()
    patient.model[1].requires_grad_(False)
    assert set(patient.diagnose().ids) == {"weights-not-finite", "frozen-not-frozen"}


def test_integers_are_looked_at_by_replacing_them():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.net = nn.Embedding(10, FEATURES), mlp()

        def forward(self, ids):
            return self.net(self.words(ids).mean(1))

    ids = torch.arange(160).reshape(32, 5) % 10 * torch.arange(1, 33)[:, None] % 10
    (finding,) = diagnose(Words(), ids, independent=True).findings
    assert finding.id == "samples-see-each-other"
    assert finding.layers == ("net.1", "net.4")
