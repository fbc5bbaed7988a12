"""Where convolutional nets halve the image and double the width."""

from __future__ import annotations


def stages(size: int, depth: int, width: int) -> list[tuple[int, int]]:
    """The pair (width, stride) of each of ``depth`` convolutions or blocks.

    The layers are shared out evenly over the stages; each stage after the first begins with stride
    2 and doubles the width, as in He et al. 2016 (arXiv 1512.03385, section 4.2). Images of 8 x 8
    pass two stages (8, 4), images of 16 x 16 and 32 x 32 three (32, 16, 8), or fewer if the net is
    shallower.

    Args:
        size: height and width of the image in pixels.
        depth: number of layers.
        width: channels of the first stage.
    """
    count = min(depth, 3 if size >= 16 else 2 if size >= 8 else 1)
    of_layer = [i * count // depth for i in range(depth)]
    starts = [i > 0 and of_layer[i] != of_layer[i - 1] for i in range(depth)]
    return [(width * 2**s, 2 if start else 1) for s, start in zip(of_layer, starts, strict=True)]
