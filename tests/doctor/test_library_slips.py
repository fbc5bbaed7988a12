"""Slips planted in models of torchvision, timm and transformers, one each."""

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from bnlab.doctor import diagnose
from tests.doctor import libraries
from tests.doctor.libraries import images, of_timm, of_torchvision, of_transformers

pytestmark = pytest.mark.filterwarnings("ignore")  # other projects' deprecations

RESNET = "resnet18"
FIRST = "layer1.0"


def batch_norms(model):
    return [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]


def resnet(change=lambda model: None, batch=None, **told):
    model, x = of_torchvision(RESNET)
    model = change(model) or model
    return model, x if batch is None else batch, told


def with_momentum(momentum):
    def change(model):
        for norm in batch_norms(model):
            norm.momentum = momentum

    return change


def slow(model):
    with_momentum(0.001)(model)
    with torch.no_grad():
        for _ in range(10):
            model(images())


def shared(model):
    model.layer1[0].bn2 = model.layer1[0].bn1


def zero(name):
    def change(model):
        nn.init.zeros_(model.get_submodule(name).weight)

    return change


def behind_first(module):
    def change(model):
        model.layer1[0].bn1 = nn.Sequential(model.layer1[0].bn1, module)

    return change


def half_dead(model):
    with torch.no_grad():
        model.layer1[0].conv1.weight[:32] = 0


def shrunk(model):
    model.layer1[0].bn1.eps = 1.0


def frozen(model):
    model.requires_grad_(False)
    model.fc = nn.Linear(512, 4)


def part_in_training(model):
    model.eval()
    model.layer3.train()


def average(model):
    averaged = AveragedModel(model)
    averaged.update_parameters(model)
    return averaged


def timm(name, change):
    model, x = of_timm(name)
    change(model)
    return model, x, {}


def infinite(model):
    model.bn1.running_var.fill_(torch.inf)


def decayed(name):
    model, batch = of_transformers(name)
    return model, batch, {"optimizer": torch.optim.AdamW(model.parameters())}


def accumulated(name):
    return *of_transformers(name), {"accumulate": 8}


def frozen_embeddings(name):
    model, batch = of_transformers(name)
    model.regnet.embedder.requires_grad_(False)
    return model, batch, {}


CASES = {
    "momentum, after ten steps": ("momentum-too-small", "bn1", lambda: resnet(slow)),
    "momentum, for any run": ("momentum-too-small", "bn1", lambda: resnet(with_momentum(1e-4))),
    "momentum 0": ("momentum-zero", "bn1", lambda: resnet(with_momentum(0.0))),
    "momentum 1": ("momentum-one", "bn1", lambda: resnet(with_momentum(1.0))),
    "one for two": ("shared-norm", f"{FIRST}.bn1", lambda: resnet(shared)),
    "gamma of the stem": ("zero-gamma", "bn1", lambda: resnet(zero("bn1"))),
    "gamma in a branch": ("zero-gamma", "layer2.0.bn1", lambda: resnet(zero("layer2.0.bn1"))),
    "dropout": (
        "dropout-before-norm",
        f"{FIRST}.bn2",
        lambda: resnet(behind_first(nn.Dropout(0.5))),
    ),
    "dropout of maps": (
        "dropout-before-norm",
        f"{FIRST}.bn2",
        lambda: resnet(behind_first(nn.Dropout2d(0.2))),
    ),
    "norm after norm": (
        "norm-after-norm",
        f"{FIRST}.bn1.1",
        lambda: resnet(behind_first(nn.GroupNorm(8, 64))),
    ),
    "dead channels": ("constant-channels", f"{FIRST}.bn1", lambda: resnet(half_dead)),
    "eps": ("eps-too-large", f"{FIRST}.bn1", lambda: resnet(shrunk)),
    "tiny inputs": ("eps-too-large", "bn1", lambda: resnet(batch=images() * 1e-5)),
    "a batch of one": (
        "one-value-per-channel",
        "layer4.0.bn1",
        lambda: resnet(batch=images(32, 1)),
    ),
    "a batch of two": ("small-batch", "bn1", lambda: resnet(batch=images(64, 2))),
    "frozen": ("frozen-not-frozen", "bn1", lambda: resnet(frozen)),
    "a part in training mode": (
        "left-in-train-mode",
        "layer3.0.bn1",
        lambda: resnet(part_in_training),
    ),
    "averaged weights": ("averaged-weights", "module.bn1", lambda: resnet(average)),
    "samples": ("samples-see-each-other", "bn1", lambda: resnet(independent=True)),
    "infinite statistics": ("statistics-not-finite", "bn1", lambda: timm("resnet10t", infinite)),
    "gamma before an activation": (
        "zero-gamma",
        "blocks.1.0.bn1",
        lambda: timm("tinynet_e", zero("blocks.1.0.bn1")),
    ),
    "gamma without a shortcut": (
        "zero-gamma",
        "blocks.1.0.bn3",
        lambda: timm("tinynet_e", zero("blocks.1.0.bn3")),
    ),
    "weight decay on LayerNorm": (
        "weight-decay",
        "embeddings.LayerNorm",
        lambda: decayed("BertModel"),
    ),
    "weight decay": (
        "weight-decay",
        "resnet.embedder.embedder.normalization",
        lambda: decayed("ResNetForImageClassification"),
    ),
    "accumulated": (
        "accumulation",
        "model.encoder.layers.0.norm_sublayer1.batchnorm",
        lambda: accumulated("PatchTSTForPrediction"),
    ),
    "frozen embeddings": (
        "frozen-not-frozen",
        "regnet.embedder.embedder.normalization",
        lambda: frozen_embeddings("RegNetForImageClassification"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_slip_in_a_known_model_is_found(name):
    known, layer, make = CASES[name]
    torch.manual_seed(0)
    model, batch, told = make()
    diagnosis = diagnose(model, batch, **told)
    assert diagnosis.ids == (known,), str(diagnosis)
    assert layer in diagnosis.findings[0].layers


@pytest.mark.parametrize("name", ["blocks.1.1.bn3", "blocks.2.1.bn3"])
def test_a_gamma_of_zero_at_the_end_of_a_branch_is_none(name):
    model, batch, _ = timm("efficientnet_b0", zero(name))
    assert diagnose(model, batch).ids == ()


def test_a_net_with_group_norm_keeps_samples_apart():
    models = libraries.library("torchvision").models
    model = models.resnet18(norm_layer=lambda channels: nn.GroupNorm(8, channels))
    assert diagnose(model, images(), independent=True).ids == ()


@pytest.mark.parametrize("wrap", [nn.DataParallel, AveragedModel, torch.compile])
def test_wrapped_models_are_looked_into(wrap):
    model, x = of_torchvision(RESNET)
    shared(model)
    (finding,) = diagnose(wrap(model), [x, torch.zeros(8)]).findings
    assert finding.id == "shared-norm"
    assert finding.layers[0].endswith("layer1.0.bn1")
