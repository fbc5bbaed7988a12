"""What practitioners say when normalization goes wrong, as claims T1 to T8.

The sentences are what is answered in the threads that ``THREADS`` names, or asked there and never
measured. Sentences, predictions, effects and margins were written before anything was measured with
the seeds that count. Trial runs that a prediction speaks of had seeds 1433 to 1436, and rates
chosen by the tuning seeds 1430 to 1432; they are not counted.

An identity (T3 ``kept``, T4 ``ghost`` and ``layer``, T8 ``alone``) checks the code, not the claim.
"""

from __future__ import annotations

from bnlab.chapters.clinic.t1_t2_claims import T1, T2
from bnlab.chapters.clinic.t3_t4_claims import T3, T4
from bnlab.chapters.clinic.t5_t6_claims import T5, T6
from bnlab.chapters.clinic.t7_t8_claims import T7, T8

THREADS: dict[str, tuple[str, ...]] = {
    "T1": (
        "pytorch/pytorch#4741",
        "pytorch/pytorch#5406",
        "pytorch/vision#2079",
        "facebookresearch/higher#55",
        "yanx27/GACNet#8",
        "huggingface/pytorch-image-models#102",
        "timgaripov/swa#7",
        "lucidrains/ema-pytorch#29",
    ),
    "T2": (
        "open-mmlab/mmsegmentation#272",
        "huaifeng1993/DFANet#9",
        "TRAILab/CaDDN#103",
    ),
    "T3": (
        "pytorch/pytorch#86590",
        "pytorch/pytorch#10856",
        "princeton-vl/RAFT#141",
        "ultralytics/ultralytics#8753",
    ),
    "T4": (
        "pytorch/pytorch#46516",
        "ultralytics/yolov5#1630",
        "run-ai/runai#14",
        "andreped/GradientAccumulator#6",
        "keras-team/keras#16633",
        "google-research/tuning_playbook#69",
    ),
    "T5": ("pytorch/pytorch#1402", "ultralytics/yolov5#4104"),
    "T6": (
        "gcr/torch-residual-networks#5",
        "yunjey/pytorch-tutorial#212",
        "dragen1860/MAML-Pytorch#39",
        "srebuffi/iCaRL#5",
    ),
    "T7": (
        "luigibonati/mlcolvar#205",
        "luigibonati/mlcolvar#267",
        "FengAoWang/TMO-Net#12",
    ),
    "T8": (
        "eriklindernoren/Keras-GAN#66",
        "hwalsuklee/tensorflow-generative-model-collections#17",
        "LynnHo/DCGAN-LSGAN-WGAN-GP-DRAGAN-Tensorflow-2#3",
        "facebookresearch/moco#20",
        "facebookresearch/moco#46",
    ),
}
"""Repository and number of the issues and pull requests in which each symptom is reported."""

CLAIMS = (T1, T2, T3, T4, T5, T6, T7, T8)
