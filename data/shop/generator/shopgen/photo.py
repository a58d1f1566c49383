"""Draws what a phone camera would see: a cardboard box on a table, with light, grain and wear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopgen.screen import Colour, Parcel

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image, ImageDraw

Point = tuple[float, float]
TABLES: tuple[Colour, ...] = ((150, 116, 82), (120, 122, 126), (176, 164, 146), (92, 84, 78), (138, 150, 140))
CARDBOARDS: tuple[Colour, ...] = ((190, 148, 100), (204, 166, 120), (176, 132, 88), (196, 180, 160))


def draw_parcel(size: tuple[int, int], parcel: Parcel) -> Image.Image:
    """Draw table and box. Every random choice is made before the damage, so that only the corner differs."""
    import numpy as np
    from PIL import ImageDraw

    rng = np.random.default_rng(parcel.seed)
    image = _table(size, rng)
    pen = ImageDraw.Draw(image)
    _clutter(pen, size, rng)
    board = CARDBOARDS[rng.integers(len(CARDBOARDS))]
    jitter = rng.uniform(-7, 7, (7, 2))
    x, y = parcel.shift
    corners = ((70, 240), (350, 244), (340, 470), (80, 476), (112, 168), (384, 172), (378, 392))
    a, b, c, e, f, g, h = (
        (cx + x + float(dx), cy + y + float(dy)) for (cx, cy), (dx, dy) in zip(corners, jitter, strict=True)
    )
    pen.polygon(
        [(e[0] - 8, e[1] + 12), (c[0] + 6, c[1] + 14), (h[0] + 16, h[1] + 12), h, c, e],
        _shade((90, 80, 70), 0.7),
    )
    pen.polygon([a, b, c, e], board)
    pen.polygon([a, b, g, f], _shade(board, 1.14))
    pen.polygon([b, g, h, c], _shade(board, 0.74))
    middle = _between(a, b, 0.46), _between(a, b, 0.56), _between(f, g, 0.56), _between(f, g, 0.46)
    pen.polygon(middle, (214, 196, 150))
    for start, end in ((a, b), (b, c), (b, g), (a, e)):
        pen.line([start, end], _shade(board, 0.62), 2)
    _wear(pen, rng, (a, b, c, e), board)
    tear = rng.uniform(0.75, 1.25, 14)
    if parcel.damaged:
        corner, one, other = ((e, a, c), (c, e, b), (a, e, b))[parcel.corner]
        _crush(pen, corner, one, other, board, tear)
    return image


def _clutter(pen: ImageDraw.ImageDraw, size: tuple[int, int], rng: np.random.Generator) -> None:
    """Draw dark things that lie about: a pen, a phone, a strap, so that a dark patch is no sign of damage."""
    for _ in range(rng.integers(0, 4)):
        x, y = (
            float(rng.uniform(0, size[0])),
            float(rng.choice((rng.uniform(10, 110), rng.uniform(520, 555)))),
        )
        wide, high = float(rng.uniform(20, 120)), float(rng.uniform(6, 46))
        pen.rounded_rectangle((x, y, x + wide, y + high), 5, (38, 30, 26))


def _wear(pen: ImageDraw.ImageDraw, rng: np.random.Generator, face: tuple[Point, ...], board: Colour) -> None:
    """Draw scratches and stains of any parcel's journey, few or many, all over the front."""
    a, b, c, e = face
    for _ in range(rng.integers(2, 26)):
        across, down, length = rng.uniform(0.04, 0.96), rng.uniform(0.05, 0.95), rng.uniform(0.02, 0.1)
        start = _between(_between(a, b, across), _between(e, c, across), down)
        end = (
            start[0] + float(rng.uniform(-200, 200) * length),
            start[1] + float(rng.uniform(-160, 160) * length),
        )
        pen.line([start, end], _shade(board, float(rng.choice((0.7, 0.86, 1.12)))), int(rng.integers(1, 3)))


def _crush(
    pen: ImageDraw.ImageDraw, corner: Point, one: Point, other: Point, board: Colour, tear: np.ndarray
) -> None:
    """Draw a torn hole at a corner with a ragged edge, its lining, and creases running into the side."""
    steps = 6
    rim = []
    for step in range(steps + 1):
        share = step / steps
        along = _between(
            _between(corner, one, 0.36 * float(tear[0])),
            _between(corner, other, 0.27 * float(tear[1])),
            share,
        )
        rim.append(_between(along, corner, 0.34 * float(tear[step + 2] - 0.75)))
    outside = [(2 * corner[0] - point[0], 2 * corner[1] - point[1]) for point in (rim[0], rim[-1])]
    pen.polygon([*rim, _between(corner, outside[1], 0.12), _between(corner, outside[0], 0.12)], (38, 30, 26))
    pen.line(rim, (232, 214, 186), 5)
    for step in range(1, steps):
        deep = _between(rim[step], corner, -0.5 * float(tear[step + 8] - 0.3))
        pen.line([rim[step], deep], _shade(board, 0.55), 3)
        pen.line([(rim[step][0] + 3, rim[step][1]), (deep[0] + 3, deep[1])], _shade(board, 1.2), 2)


def finish_photo(image: Image.Image, seed: int) -> Image.Image:
    """Add light falling off to one side, a soft lens, and sensor grain."""
    import numpy as np
    from PIL import Image, ImageFilter

    rng = np.random.default_rng([seed, 1])
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(0.5)), dtype=np.float64)
    height, width = soft.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    centre = rng.uniform(0.3, 0.7, 2)
    far = (columns / width - centre[0]) ** 2 + (rows / height - centre[1]) ** 2
    light = rng.uniform(0.86, 1.08) * (1.08 - 0.55 * far)
    warm = np.array([1 + rng.uniform(-0.05, 0.05), 1.0, 1 + rng.uniform(-0.06, 0.06)])
    # Grain of the sensor, and the finer one of cardboard and wood that no light is even on.
    grain = rng.normal(0.0, rng.uniform(6.0, 12.0), (height, width, 1))
    patches = np.asarray(
        Image.fromarray(rng.integers(96, 160, (height // 3, width // 3)).astype(np.uint8)).resize(
            (width, height)
        ),
        dtype=np.float64,
    )
    grain += (patches[..., None] - 128) * 0.35
    return Image.fromarray(np.clip(soft * light[..., None] * warm + grain, 0, 255).astype(np.uint8))


def _table(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    import numpy as np
    from PIL import Image

    width, height = size
    base = np.array(TABLES[rng.integers(len(TABLES))], dtype=np.float64)
    cells = rng.normal(0, 9, (rng.integers(8, 40), rng.integers(2, 6)))
    coarse = Image.fromarray((cells + 128).clip(0, 255).astype(np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    wave = np.asarray(coarse, dtype=np.float64)[..., None] - 128
    return Image.fromarray((base + wave).clip(0, 255).astype(np.uint8))


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, int(channel * factor)) for channel in colour)
    return red, green, blue
