"""Nothing is found in healthy models: ours, torch's, and those of three libraries."""

import copy
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, update_bn

from bnlab.doctor import diagnose
from bnlab.nets import make_net
from bnlab.norms import recompute_statistics
from bnlab.train import Run, make_trainer
from tests.doctor import libraries
from tests.doctor.patients import (
    FEATURES,
    FunctionalDropout,
    Residual,
    Shared,
    Tokens,
    conv,
    images,
    mlp,
    rows,
    trained,
)
from tests.doctor.slips import zeroed

OURS = [
    *("batch", "batch_renorm", "layer", "group", "rms", "none", "evonorm_b0", "variance"),
    "noisy_batch",
]


def no_finding(model, batch, **told):
    torch.manual_seed(0)
    diagnosis = diagnose(model, batch, **told)
    assert diagnosis.ids == (), str(diagnosis)
    return diagnosis


@pytest.mark.parametrize("net", ["mlp", "plain", "resnet"])
@pytest.mark.parametrize("norm", OURS)
def test_our_nets_are_healthy_when_new(net, norm):
    options = {"group_size": 4} if norm == "group" else {}
    model = make_net(net, (1, 8, 8), 10, 8, 8, norm, norm_options=options)
    no_finding(model, torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("count", [8, 16, 64, 256])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_trained_net_is_healthy_on_batches_of_any_size(count, seed):
    no_finding(trained(), rows(count, seed=seed))


def in_the_mode_of_its_own():
    model = trained()
    for name in ("1", "4"):
        model.get_submodule(name).requires_grad_(False).eval()
    return model, rows()


def with_statistics_for_the_average():
    model = trained()
    average = AveragedModel(model)
    update_bn([rows(seed=seed) for seed in range(5)], average)
    return average, rows()


def as_dcgan_starts():
    model = conv()
    for norm in (model[1], model[4]):
        nn.init.normal_(norm.weight, 1.0, 0.02)
    return model, images()


def with_dropout_at_the_end():
    model = mlp()
    model.insert(6, nn.Dropout(0.5))
    return model, rows()


def with_its_axis_right():
    return Tokens(5, right=True), torch.randn(16, 5, FEATURES)


def with_a_zero_at_the_end_of_a_branch():
    patient = zeroed(Residual(), "norm2", images())
    return patient.model, patient.batch


def a_transformer():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), torch.randn(8, 5, 16)


def with_a_norm_for_each_place():
    model = Shared()
    model.norm2 = copy.deepcopy(model.norm1)
    return model, rows()


class Siamese(nn.Module):
    """One branch for both inputs."""

    def __init__(self):
        super().__init__()
        self.branch = mlp()

    def forward(self, first, second):
        return functional.cosine_similarity(self.branch(first), self.branch(second))


def of_two_alike_inputs():
    return Siamese(), (rows(seed=1), rows(seed=2))


def half_precision():
    return conv().to(torch.bfloat16), images().to(torch.bfloat16)


def channels_last():
    return conv().to(memory_format=torch.channels_last), images()


def loader_of_pairs():
    return mlp(), [rows(), torch.zeros(64, dtype=torch.long)]


def sound_models():
    makers = [
        in_the_mode_of_its_own,
        with_statistics_for_the_average,
        as_dcgan_starts,
        with_dropout_at_the_end,
        with_its_axis_right,
        with_a_zero_at_the_end_of_a_branch,
        a_transformer,
        with_a_norm_for_each_place,
        of_two_alike_inputs,
        half_precision,
        channels_last,
        loader_of_pairs,
    ]
    return {maker.__name__: maker for maker in makers}


@pytest.mark.parametrize("name", sound_models())
def test_what_is_done_right_is_no_finding(name):
    torch.manual_seed(0)
    no_finding(*sound_models()[name]())


def test_a_dropout_of_zero_or_in_evaluation_mode_is_none():
    no_finding(FunctionalDropout(0.0), rows())


@pytest.mark.parametrize("norm", ["batch", "batch_renorm"])
@pytest.mark.parametrize("net", ["mlp", "resnet"])
def test_a_net_of_the_book_is_healthy_after_training_on_digits(net, norm):
    run = Run(net=net, depth=8, width=8, norm=norm, lr=0.05, steps=150, batch_size=32)
    trainer = make_trainer(run)
    assert not [step for step in trainer.steps() if step.diverged]
    no_finding(trainer.net, trainer.train_x[:64], optimizer=trainer.optimizer)


def test_recomputed_statistics_are_those_of_the_batches():
    model = trained(momentum=0.001)
    assert diagnose(model, rows()).ids == ("momentum-too-small",)
    recompute_statistics(model, [rows(seed=seed) for seed in range(4)])
    no_finding(model, rows())


def test_a_sample_alone_is_not_seen_by_others_with_layer_norm():
    model = make_net("plain", (1, 8, 8), 10, 2, 8, "layer")
    no_finding(model, torch.randn(8, 1, 8, 8), independent=True)


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other projects' deprecations
        yield


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("name", libraries.TORCHVISION)
def test_torchvision(name):
    torch.manual_seed(0)
    diagnosis = no_finding(*libraries.of_torchvision(name))
    if name == "vgg11_bn":
        assert [note.id for note in diagnosis.notes] == ["bias-before-norm"]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("name", libraries.TIMM)
def test_timm(name):
    torch.manual_seed(0)
    no_finding(*libraries.of_timm(name))


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("name", libraries.TRANSFORMERS)
def test_transformers(name):
    model, batch = (torch.manual_seed(0), libraries.of_transformers(name))[1]
    no_finding(model, batch)
