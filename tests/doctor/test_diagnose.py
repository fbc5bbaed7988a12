"""What ``diagnose`` tells, and when."""

import copy

import pytest
import torch
from torch import nn

from bnlab.doctor import diagnose
from bnlab.norms import NormReading, make_norm, register_norm
from tests.doctor.patients import FEATURES, WIDTH, Residual, conv, images, mlp, rows, trained
from tests.doctor.slips import SLIPS, diverged


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
