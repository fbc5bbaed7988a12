"""Small models of torchvision, timm and transformers, with the weights that they start with."""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from tests.models.libraries import LIBRARIES, missing, prepare

TORCHVISION = [
    *("resnet18", "zero_init_residual", "vgg11_bn", "densenet121", "mobilenet_v3_small"),
    *("efficientnet_b0", "shufflenet_v2_x0_5", "mnasnet0_5", "regnet_y_400mf", "swin_t"),
]
TIMM = [
    *("resnet10t", "mobilenetv3_small_050", "repvgg_a0", "levit_128s", "tinynet_e"),
    *("ghostnet_050", "poolformerv2_s12", "convnext_atto", "efficientvit_m0"),
]
TEXT = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
SMALL = {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [1, 1]}
IMAGES = {"image_size": 64, "patch_size": 16}
SOUND = {
    "conv_dim": (16, 16),
    "conv_kernel": (10, 3),
    "conv_stride": (5, 2),
    "num_feat_extract_layers": 2,
    "mask_time_prob": 0,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
SERIES = {
    "num_input_channels": 2,
    "context_length": 32,
    "patch_length": 8,
    "patch_stride": 8,
    "d_model": 16,
    "ffn_dim": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "prediction_length": 4,
}
TRANSFORMERS = {
    "BertModel": {**TEXT, "vocab_size": 100},
    "LlamaModel": {**TEXT, "vocab_size": 100, "num_key_value_heads": 2},
    "GemmaModel": {**TEXT, "vocab_size": 100, "num_key_value_heads": 2, "head_dim": 16},
    "GPT2Model": {"n_embd": 32, "n_layer": 2, "n_head": 2, "vocab_size": 100},
    "ViTModel": {**TEXT, **IMAGES},
    "CLIPVisionModel": {**TEXT, **IMAGES},
    "ResNetForImageClassification": SMALL,
    "RegNetForImageClassification": {**SMALL, "groups_width": 8},
    "MobileNetV2ForImageClassification": {"depth_multiplier": 0.35},
    "Wav2Vec2ConformerModel": {**TEXT, **SOUND},
    "PatchTSTForPrediction": SERIES,
}


def library(name: str) -> ModuleType:
    """A library, or a skipped test that says what to install."""
    if name in missing():
        pytest.skip(f"{name} is not installed: pip install {LIBRARIES[name]}.")
    prepare()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other projects' deprecations
        return importlib.import_module(name)


def images(size: int = 64, count: int = 8) -> Tensor:
    """Random images."""
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


def of_torchvision(name: str) -> tuple[nn.Module, Tensor]:
    """A model of torchvision, and images."""
    models = library("torchvision").models
    if name == "vgg11_bn":  # without its large linear layers
        return models.vgg.make_layers(models.vgg.cfgs["A"], batch_norm=True), images()
    if name == "zero_init_residual":
        return models.resnet18(zero_init_residual=True), images()
    return models.get_model(name, weights=None), images()


def of_timm(name: str) -> tuple[nn.Module, Tensor]:
    """A model of timm, and images of a size that it takes."""
    fixed = name in ("levit_128s", "efficientvit_m0")
    return library("timm").create_model(name), images(224 if fixed else 64)


def of_transformers(name: str) -> tuple[nn.Module, dict[str, Tensor]]:
    """A model of transformers in training mode, and inputs by name."""
    transformers = library("transformers")
    cls = getattr(transformers, name)
    model = cls(cls.config_class(**TRANSFORMERS[name])).train()
    inputs = {
        "input_ids": torch.arange(8 * 16).reshape(8, 16) % 97 + 1,
        "pixel_values": images(),
        "input_values": torch.randn(8, 2000, generator=torch.Generator().manual_seed(0)),
        "past_values": torch.randn(8, 32, 2, generator=torch.Generator().manual_seed(0)),
    }
    return model, {model.main_input_name: inputs[model.main_input_name]}
