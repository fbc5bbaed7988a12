"""Small models with random weights, as four libraries make them."""

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tests.models.libraries import prepare

CLASSES = 4
WORDS = 50


@dataclass(frozen=True)
class Model:
    """How one model is made, and what it takes.

    Attributes:
        library: where it comes from.
        name: what it is called there, with what makes it another model.
        build: makes it, with the library's own start.
        inputs: ``images``, ``words``, ``sound`` or ``pairs`` (words for both sides, by keyword).
    """

    library: str
    name: str
    build: Callable[[], nn.Module]
    inputs: str = "images"

    @property
    def key(self) -> str:
        """Library and name."""
        return f"{self.library} {self.name}"


@dataclass(frozen=True)
class Case:
    """A model in float64 and training mode, with a batch of four."""

    model: Model
    net: nn.Module
    x: object
    y: Tensor


def answer(output: object) -> Tensor:
    """The tensor of a model's output: itself, or what a mapping or an object holds as such."""
    if isinstance(output, Tensor):
        return output
    return output["logits"] if "logits" in output else output["out"]


def loss(output: object, y: Tensor) -> Tensor:
    """Mean cross entropy over samples, words or pixels."""
    scores = answer(output)
    classes_last = scores.ndim == 3
    flat = scores if classes_last else scores.movedim(1, -1)
    return nn.functional.cross_entropy(flat.flatten(0, -2), y.flatten())


def call(net: nn.Module, x: object) -> object:
    """The model's output; a dict goes in by keyword."""
    return net(**x) if isinstance(x, dict) else net(x)


def make(model: Model) -> Case:
    """The model, with weights and statistics of its normalizers moved from where all are alike."""
    prepare()
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        net = model.build().double().train()
        with torch.no_grad():
            for parameter in net.parameters():
                if parameter.ndim == 1 or not parameter.any():  # a head of zeros has no slopes
                    parameter += 0.1 * torch.randn_like(parameter)
            for name, buffer in net.named_buffers():
                if name.endswith("running_mean"):
                    buffer += 0.1 * torch.randn_like(buffer)
                if name.endswith("running_var"):
                    buffer *= 0.5 + torch.rand_like(buffer)
        x = _inputs(model.inputs)
        with torch.no_grad():
            scores = answer(call(net.eval(), x))
        net.train()
        last = scores.ndim == 3
        shape = scores.shape[:-1] if last else (len(scores), *scores.shape[2:])
        y = torch.randint(0, scores.shape[-1 if last else 1], shape)
    return Case(model, net, x, y)


def _inputs(kind: str) -> object:
    if kind == "images":
        return torch.randn(4, 3, 32, 32, dtype=torch.float64)
    if kind == "sound":
        return torch.randn(4, 200, dtype=torch.float64)
    words = torch.randint(1, WORDS, (4, 6))
    return words if kind == "words" else {"input_ids": words, "decoder_input_ids": words.flip(0)}


@contextlib.contextmanager
def same_noise() -> Iterator[None]:
    """Dropout and its like begin with the same numbers, each time."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        yield


def two_stages(net: nn.Module) -> nn.Module:
    """A ResNet of torchvision without its last two stages, which hold nearly all its weights."""
    net.layer3 = net.layer4 = nn.Identity()
    net.fc = nn.Linear(128, CLASSES)
    return net


def _torchvision() -> Iterator[Model]:
    from torchvision import models, ops
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt
    from torchvision.models.efficientnet import EfficientNet, MBConvConfig
    from torchvision.models.resnet import BasicBlock, ResNet

    made = functools.partial(Model, "torchvision")
    mobile = functools.partial(
        models.MobileNetV2,
        CLASSES,
        width_mult=0.25,
        inverted_residual_setting=[[1, 16, 1, 1], [6, 24, 2, 2]],
    )
    stages = [MBConvConfig(1, 3, 1, 8, 8, 1), MBConvConfig(4, 3, 2, 8, 16, 1)]
    yield made("ResNet, two stages", lambda: two_stages(ResNet(BasicBlock, [1, 1, 1, 1])))
    yield made("MobileNetV2", mobile)
    yield made(
        "MobileNetV2, GroupNorm", lambda: mobile(norm_layer=functools.partial(nn.GroupNorm, 4))
    )
    yield made("MobileNetV2, FrozenBatchNorm2d", lambda: mobile(norm_layer=ops.FrozenBatchNorm2d))
    yield made(
        "DenseNet, memory_efficient",
        lambda: models.DenseNet(4, (2, 2), 8, num_classes=CLASSES, memory_efficient=True),
    )
    yield made(
        "ShuffleNetV2",
        lambda: models.ShuffleNetV2([1, 1, 1], [8, 16, 32, 64, 64], num_classes=CLASSES),
    )
    yield made("EfficientNet", lambda: EfficientNet(stages, dropout=0.2, num_classes=CLASSES))
    yield made("SqueezeNet", lambda: models.squeezenet1_1(num_classes=CLASSES))
    yield made(
        "ConvNeXt",
        lambda: ConvNeXt(
            [CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)], num_classes=CLASSES
        ),
    )
    yield made(
        "VisionTransformer",
        lambda: models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=CLASSES),
    )
    yield made(
        "SwinTransformer",
        lambda: models.SwinTransformer([4, 4], 8, [1, 1], [1, 2], [2, 2], num_classes=CLASSES),
    )


def _timm() -> Iterator[Model]:
    import timm

    for name in (
        "test_resnet",
        "test_efficientnet",
        "test_efficientnet_gn",
        "test_efficientnet_evos",
        "test_nfnet",
        "test_convnext",
    ):
        yield Model("timm", name, lambda name=name: timm.create_model(name, num_classes=CLASSES))
    vit = functools.partial(timm.create_model, "test_vit4", num_classes=CLASSES, img_size=32)
    yield Model("timm", "test_vit4", vit)


def _transformers() -> Iterator[Model]:
    import transformers as hf

    made = functools.partial(Model, "transformers")
    text = {"vocab_size": WORDS, "hidden_size": 16, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 16}
    bert = hf.BertConfig(**text, **heads, num_labels=CLASSES)
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    gpt2 = hf.GPT2Config(vocab_size=WORDS, n_positions=16, n_embd=16, n_layer=2, n_head=2, **ends)
    llama = hf.LlamaConfig(**text, **heads, num_key_value_heads=1)
    t5 = hf.T5Config(
        vocab_size=WORDS,
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",  # without kinks: it computes parts in float32
    )
    images = {"hidden_sizes": [8, 16], "depths": [1, 1], "num_labels": CLASSES}
    resnet = hf.ResNetConfig(embedding_size=8, layer_type="basic", **images)
    convnext = hf.ConvNextConfig(num_stages=2, **images)
    segformer = hf.SegformerConfig(
        num_encoder_blocks=2,
        sr_ratios=[2, 1],
        patch_sizes=[7, 3],
        strides=[4, 2],
        num_attention_heads=[1, 2],
        mlp_ratios=[2, 2],
        decoder_hidden_size=8,
        **images,
    )
    sound = hf.Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8, 8),
        conv_stride=(5, 2),
        conv_kernel=(10, 3),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        classifier_proj_size=8,
        num_labels=CLASSES,
        apply_spec_augment=False,  # its masks come from NumPy's random numbers
    )
    yield made("Bert", lambda: hf.BertForSequenceClassification(bert), "words")
    yield made("GPT2", lambda: hf.GPT2LMHeadModel(gpt2), "words")
    yield made("Llama", lambda: hf.LlamaForCausalLM(llama), "words")
    yield made("T5", lambda: hf.T5ForConditionalGeneration(t5), "pairs")
    yield made("ResNet", lambda: hf.ResNetForImageClassification(resnet))
    yield made("ConvNext", lambda: hf.ConvNextForImageClassification(convnext))
    yield made("Segformer", lambda: hf.SegformerForSemanticSegmentation(segformer))
    yield made("Wav2Vec2", lambda: hf.Wav2Vec2ForSequenceClassification(sound), "sound")


def _segmentation() -> Iterator[Model]:
    import segmentation_models_pytorch as smp

    made = functools.partial(Model, "segmentation_models_pytorch")
    start = {"encoder_weights": None, "classes": 2}
    narrow = {"encoder_depth": 3, "decoder_channels": (16, 8, 8)}
    yield made("Unet, tu-test_resnet", lambda: smp.Unet("tu-test_resnet", **start, **narrow))
    yield made(
        "FPN, tu-test_efficientnet",
        lambda: smp.FPN(
            "tu-test_efficientnet",
            decoder_pyramid_channels=32,
            decoder_segmentation_channels=32,
            **start,
        ),
    )
    yield made(
        "PSPNet, tu-test_resnet",
        lambda: smp.PSPNet("tu-test_resnet", encoder_depth=3, psp_out_channels=16, **start),
    )


def models() -> list[Model]:
    """All of them, library by library."""
    prepare()
    return [*_torchvision(), *_timm(), *_transformers(), *_segmentation()]
