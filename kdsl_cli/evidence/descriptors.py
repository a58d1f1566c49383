"""What cheap statistics of the pixels say of a picture: camera photo or screenshot, bars, colours.

All but `width` and `height` come from the picture shrunk to at most 512 pixels a side, so that a screen
and its thumbnail say nearly the same.

The descriptors a rule may name (`RULE_FEATURES`), all fractions unless said otherwise:

==================  =====================================================================================
width, height       pixels, upright
aspect              width over height
mean_saturation     of HSV
brightness          mean luma
colour_count        number of colours, 16 levels a channel, that at least 0.05 % of the pixels have
flat_fraction       pixels equal, within 2 of 255, to both their right and their lower neighbour
edge_density        pixels whose luma differs by more than 32 of 255 from those two neighbours together
top_bar             height of the band of one ground colour at the upper edge; 0 none, 0.5 no end in sight
bottom_bar          the same at the lower edge
red_fraction        pixels of a strong red (hue within 14 degrees of red)
orange_fraction     pixels of a strong orange or yellow (hue 14 to 50 degrees)
white_fraction      pixels with every channel at least 240
dark_fraction       pixels with every channel at most 60
grey_fraction       pixels without colour (channels within 12), neither white nor dark
photo_score         1 a camera photo, 0 a screenshot; see `photo_score`
==================  =====================================================================================

Two more belong to a picture but need its text: `text_features`. The layout (`LAYOUT_FEATURES`) and the
64-bit difference hash (`HASH_FEATURES`) are for models and look-alikes, not for rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdsl_cli.evidence.pictures import Pixels, decode
from kdsl_cli.logic.facts import OcrLine

VERSION = 1
"""Counts changes in what these functions return; part of the store's key."""

PIXEL_FEATURES = (
    "width", "height", "aspect", "mean_saturation", "brightness", "colour_count", "flat_fraction",
    "edge_density", "top_bar", "bottom_bar", "red_fraction", "orange_fraction", "white_fraction",
    "dark_fraction", "grey_fraction", "photo_score",
)  # fmt: skip
TEXT_FEATURES = ("line_count", "text_fraction")
RULE_FEATURES = PIXEL_FEATURES + TEXT_FEATURES
"""The names a rule may use."""

GRID_ROWS, GRID_COLUMNS = 8, 4
_CELL = ("red", "green", "blue", "spread")
LAYOUT_FEATURES = tuple(
    f"grid.r{row}c{column}.{part}"
    for row in range(GRID_ROWS)
    for column in range(GRID_COLUMNS)
    for part in _CELL
)
"""Mean red, green and blue and the standard deviation of luma, 0 to 1, of each cell of an 8 x 4 grid,
row by row from the upper left."""

HASH_FEATURES = ("dhash.high", "dhash.low")
"""The upper and lower 32 bits of the difference hash: a 64-bit whole number does not fit into a float."""

PHOTO_FROM = 0.65
SCREENSHOT_TO = 0.40
"""`photo_score` between the two says neither: a product page that is mostly a photograph, a photo of a
white wall, a photo of a screen."""

_SIDE = 512
_LUMA = np.array([0.299, 0.587, 0.114])


def describe(data: bytes) -> tuple[str | None, dict[str, float]]:
    """Return the kind of a picture file ("photo", "screenshot" or None) and its descriptors.

    The descriptors hold every name of `PIXEL_FEATURES`, `LAYOUT_FEATURES` and `HASH_FEATURES`.

    Raises
    ------
    PictureError
        If `data` is no picture that can be shown.
    """
    return describe_pixels(decode(data))


def describe_pixels(pixels: Pixels) -> tuple[str | None, dict[str, float]]:
    """Return the kind and the descriptors of a decoded picture; see `describe`."""
    height, width = pixels.shape[:2]
    small = _shrunk(pixels)
    luma = small @ _LUMA
    features = {"width": float(width), "height": float(height), "aspect": width / height}
    features |= _colours(small, luma)
    features |= _texture(small, luma)
    features["top_bar"] = _bar(small)
    features["bottom_bar"] = _bar(small[::-1])
    features["photo_score"] = photo_score(small)
    features |= dict(zip(LAYOUT_FEATURES, _layout(small, luma), strict=True))
    features |= dict(zip(HASH_FEATURES, divmod(dhash(pixels), 2**32), strict=True))
    # The kind follows from what is stored, so that a stored score and its kind can never disagree.
    rounded = {name: round(float(value), 5) for name, value in features.items()}
    return kind_of(rounded["photo_score"]), rounded


def kind_of(score: float) -> str | None:
    """Return "photo", "screenshot" or, in the band between, None.

    Examples
    --------
    >>> kind_of(0.9), kind_of(0.1), kind_of(0.5)
    ('photo', 'screenshot', None)
    """
    if score >= PHOTO_FROM:
        return "photo"
    return "screenshot" if score <= SCREENSHOT_TO else None


def photo_score(small: Pixels) -> float:
    """Return how much a picture, at 512 pixels a side or less, looks taken by a camera: 0 to 1.

    The mean of two signs, each 1 for a photo and 0 for a screen:

    - few pixels lie in a run of 16 or more of exactly one colour along their row (none: 1, half: 0). The
      ground of a screen is one colour; light on things never is, though strong compression makes it so;
    - the four commonest colours, 32 levels a channel, cover little (a tenth: 1, three fifths: 0).
    """
    codes = _codes(small, 5)
    commonest = np.sort(np.bincount(codes.ravel()))[::-1][:4].sum() / codes.size
    signs = (1 - _run_fraction(small) / 0.5, 1 - (float(commonest) - 0.1) / 0.5)
    return sum(min(1.0, max(0.0, sign)) for sign in signs) / len(signs)


def _run_fraction(small: Pixels, length: int = 16) -> float:
    """Return the share of pixels that stand in a run of `length` equal ones along their row."""
    if small.shape[1] <= length:
        return 1.0 if (small == small[:, :1]).all() else 0.0
    same = (small[:, 1:] == small[:, :-1]).all(axis=2)
    starts = np.lib.stride_tricks.sliding_window_view(same, length - 1, axis=1).all(axis=2)
    inside = np.zeros(small.shape[:2], dtype=bool)
    for shift in range(length):
        inside[:, shift : shift + starts.shape[1]] |= starts
    return float(inside.mean())


def text_features(lines: Iterable[OcrLine]) -> dict[str, float]:
    """Return `line_count` and `text_fraction`, the share of the picture that boxes of text cover.

    Boxes are added up, so overlapping ones count twice; the sum stops at 1.

    Examples
    --------
    >>> text_features([OcrLine(0, 0, "退款", 0.9, (0.0, 0.0, 0.5, 0.1))])
    {'line_count': 1.0, 'text_fraction': 0.05}
    """
    boxes = [line.box for line in lines]
    area = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes)
    return {"line_count": float(len(boxes)), "text_fraction": round(min(1.0, area), 5)}


def dhash(pixels: Pixels) -> int:
    """Return the 64-bit difference hash: whether each cell of 8 rows of 9 is brighter than the next one."""
    from PIL import Image

    grey = Image.fromarray(pixels).convert("L").resize((9, 8), Image.Resampling.BOX)
    cells = np.asarray(grey, dtype=np.int16)
    bits = (cells[:, :-1] > cells[:, 1:]).ravel()
    return int("".join("1" if bit else "0" for bit in bits), 2)


def hash_of(features: Mapping[str, float]) -> int:
    """Return the difference hash that `HASH_FEATURES` hold.

    Examples
    --------
    >>> hash_of({"dhash.high": 1.0, "dhash.low": 2.0})
    4294967298
    """
    high, low = (int(features[name]) for name in HASH_FEATURES)
    return (high << 32) + low


def _shrunk(pixels: Pixels) -> Pixels:
    from PIL import Image

    height, width = pixels.shape[:2]
    scale = _SIDE / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def _codes(small: Pixels, bits: int) -> NDArray[np.int64]:
    levels = small.astype(np.int64) >> (8 - bits)
    codes: NDArray[np.int64] = (levels[..., 0] << (2 * bits)) + (levels[..., 1] << bits) + levels[..., 2]
    return codes


def _colours(small: Pixels, luma: NDArray[Any]) -> dict[str, float]:
    red, green, blue = (small[..., channel].astype(np.float64) for channel in range(3))
    top, low = small.max(axis=2).astype(np.float64), small.min(axis=2).astype(np.float64)
    spread = top - low
    saturation = np.divide(spread, top, out=np.zeros_like(top), where=top > 0)
    # Degrees from red towards yellow, or (negative) towards magenta; only meant where red is the most.
    hue = 60 * np.divide(green - blue, spread, out=np.zeros_like(top), where=spread > 0)
    strong = (saturation > 0.5) & (top > 100) & (red == top)
    white, dark = low >= 240, top <= 60
    counts = np.bincount(_codes(small, 4).ravel())
    return {
        "mean_saturation": saturation.mean(),
        "brightness": luma.mean() / 255,
        "colour_count": float((counts >= 0.0005 * luma.size).sum()),
        "red_fraction": (strong & (np.abs(hue) < 14)).mean(),
        "orange_fraction": (strong & (hue >= 14) & (hue < 50)).mean(),
        "white_fraction": white.mean(),
        "dark_fraction": dark.mean(),
        "grey_fraction": ((spread <= 12) & ~white & ~dark).mean(),
    }


def _texture(small: Pixels, luma: NDArray[Any]) -> dict[str, float]:
    if min(luma.shape) < 2:
        return {"flat_fraction": 1.0, "edge_density": 0.0}
    wide = small.astype(np.int16)
    right = np.abs(wide[:-1, 1:] - wide[:-1, :-1]).max(axis=2)
    below = np.abs(wide[1:, :-1] - wide[:-1, :-1]).max(axis=2)
    slope = np.abs(luma[:-1, 1:] - luma[:-1, :-1]) + np.abs(luma[1:, :-1] - luma[:-1, :-1])
    return {"flat_fraction": ((right <= 2) & (below <= 2)).mean(), "edge_density": (slope > 32).mean()}


def _bar(small: Pixels) -> float:
    """Return the height of the band at the upper edge whose rows share a ground colour, 0 to 0.5.

    A row belongs to the band when at least half of its pixels are within 12 of the edge row's median.
    """
    half = small[: max(1, small.shape[0] // 2)].astype(np.int16)
    ground = np.median(half[0], axis=0)
    share = (np.abs(half - ground).max(axis=2) <= 12).mean(axis=1)
    broken = np.flatnonzero(share < 0.5)
    return float(broken[0]) / small.shape[0] if broken.size else 0.5


def _layout(small: Pixels, luma: NDArray[Any]) -> list[float]:
    """Return the values of `LAYOUT_FEATURES`; a picture of fewer pixels than cells repeats its pixels."""
    rows = _edges(luma.shape[0], GRID_ROWS)
    columns = _edges(luma.shape[1], GRID_COLUMNS)
    values: list[float] = []
    for top, bottom in rows:
        for left, right in columns:
            cell = small[top:bottom, left:right].reshape(-1, 3)
            values += [round(float(mean) / 255, 3) for mean in cell.mean(axis=0)]
            values.append(round(float(luma[top:bottom, left:right].std()) / 255, 3))
    return values


def _edges(length: int, cells: int) -> list[tuple[int, int]]:
    return [
        (cell * length // cells, max(cell * length // cells + 1, (cell + 1) * length // cells))
        for cell in range(cells)
    ]
