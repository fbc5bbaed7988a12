"""How different two colours look: to eyes that lack a kind of cone, on a pale projector.

The matrices are those of Machado, Oliveira and Fernandes (2009) for a missing kind of cone. A pale
projector adds stray light: a part of the white of the wall lies on every colour.
"""

from __future__ import annotations

import numpy as np

SIMULATED = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
STRAY = 0.12  # of the white of a screen, in a room that is not dark
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = TO_XYZ.sum(axis=1)


def linear(colour: str) -> np.ndarray:
    """Light of a colour such as #0068a5, red, green and blue, 0 to 1."""
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def seen(light: np.ndarray) -> dict[str, np.ndarray]:
    """This light as four kinds of eyes see it, and on a pale projector."""
    views = {kind: np.clip(np.array(m) @ light, 0, 1) for kind, m in SIMULATED.items()}
    return {"usual": light, **views, "pale": (light + STRAY) / (1 + STRAY)}


def lab(light: np.ndarray) -> np.ndarray:
    """CIELAB, for the white of a screen."""
    ratio = TO_XYZ @ light / WHITE
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def ciede2000(one: np.ndarray, other: np.ndarray) -> float:
    """The difference of two colours in CIELAB (Sharma, Wu and Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    mean = h1 + h2 if c1 * c2 == 0 else (h1 + ((h2 - h1 + 180) % 360 - 180) / 2) % 360
    weight = 1 - 0.17 * _cos(mean - 30) + 0.24 * _cos(2 * mean)
    weight += 0.32 * _cos(3 * mean + 6) - 0.20 * _cos(4 * mean - 63)
    of_light = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    of_chroma, of_hue = 1 + 0.045 * chroma, 1 + 0.015 * chroma * weight
    bend = 30 * np.exp(-(((mean - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(chroma**7 / (chroma**7 + 25**7)) * np.sin(np.radians(2 * bend))
    parts = (l2 - l1) / of_light, (c2 - c1) / of_chroma, hue / of_hue
    return float(np.sqrt(sum(part**2 for part in parts) + rotation * parts[1] * parts[2]))


def _cos(degrees: float) -> float:
    return np.cos(np.radians(degrees))


def differences(one: str, other: str) -> dict[str, float]:
    """How different two colours look to each kind of eyes, and on a pale projector."""
    views = seen(linear(one)), seen(linear(other))
    return {kind: ciede2000(lab(views[0][kind]), lab(views[1][kind])) for kind in views[0]}


def lightness(colour: str) -> float:
    """L of CIELAB."""
    return float(lab(linear(colour))[0])
