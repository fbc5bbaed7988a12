"""What chapter 01 says in words, and no code of the page prints, is so.

Each test quotes the sentence that it guards.
"""

import inspect
import json
import re
from pathlib import Path

import pytest
import torch

from bnlab.norms import make_norm
from bnlab.norms.functional import normalize

PAGE = Path(__file__).parents[3] / "book" / "01_the_family.ipynb"


def said():
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def block(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def norm(name, channels=6, **options):
    return make_norm(name, channels, **options).double()


def test_two_channels_leave_signs():
    """'With only two channels `layer` leaves nothing but signs'."""
    y, _, _ = normalize(block(9, 2), 1, eps=0.0)
    torch.testing.assert_close(y.abs(), torch.ones_like(y))


def test_the_relatives():
    """'`group` with one group is `layer`, and with groups of one channel it is `instance`. In
    training, `batch` with one sample is `instance` too.'"""
    x = block(4, 6, 3, 3)
    pairs = [
        (norm("group", group_size=6)(x), norm("layer")(x)),
        (norm("group", group_size=1)(x), norm("instance")(x)),
        (norm("batch")(x[:1]), norm("instance")(x[:1])),
    ]
    for one, other in pairs:
        torch.testing.assert_close(one, other)


def test_only_the_batch_moves_the_first_word():
    """'Layer norm [...] needs no other word, no other sentence and no second mode.'"""
    words = block(4, 7, 16)
    changed = words.clone()
    changed[:, -1] += 1 + words[:, -1] ** 2
    for dims, moves in (((0, 1), True), (2, False)):
        one, other = (normalize(x, dims, eps=1e-5)[0][:, 0] for x in (words, changed))
        assert bool((one != other).any()) == moves


def test_what_rms_norm_keeps_and_gives_up():
    """'Like layer norm, it does not react (but for ε) when all features are multiplied by one
    positive number. Unlike layer norm, it does react when one number is added to all of them.
    Where the mean is zero, the two agree.'"""
    x = block(5, 16)
    centred = x - x.mean(1, keepdim=True)
    rms, layer = norm("rms", 16, eps=0.0), norm("layer", 16, eps=0.0)
    for one in (rms, layer):
        torch.testing.assert_close(one(3 * x), one(x))
    assert (rms(x + 1) - rms(x)).abs().max() > 0.1
    torch.testing.assert_close(layer(x + 1), layer(x))
    torch.testing.assert_close(rms(centred), layer(x))


@pytest.mark.parametrize("blocks", [3, 8])
def test_where_the_first_input_stays(blocks):
    """'the share shrinks to 2^(-l/2). [...] the variance grows to 1 + l, and the share is
    1/sqrt(1 + l). After eight blocks that is a sixteenth against a third, as the cell checks.'"""
    generator = torch.Generator().manual_seed(0)
    x = post = pre = torch.randn(512, 512, generator=generator, dtype=torch.float64)
    for _ in range(blocks):
        f = torch.randn(512, 512, generator=generator, dtype=torch.float64) / 512**0.5
        post = normalize(post + post @ f, 1, 1e-5)[0]
        pre = pre + normalize(pre, 1, 1e-5)[0] @ f
    shares = [float((x * normalize(y, 1, 1e-5)[0]).mean()) for y in (post, pre)]
    assert shares == pytest.approx([2 ** (-blocks / 2), (1 + blocks) ** -0.5], abs=0.02)
    assert float(pre.var()) == pytest.approx(1 + blocks, rel=0.05)


def test_the_original_place_is_the_default_of_pytorch():
    """'Post-norm, the original design': PyTorch's encoder layer still begins there."""
    default = inspect.signature(torch.nn.TransformerEncoderLayer).parameters["norm_first"].default
    assert default is False


def test_the_section_that_others_link_to_is_there():
    assert re.search(r"^## Why transformers took layer norm$", said(), re.M)
