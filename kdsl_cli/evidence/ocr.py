"""Reading the text in a picture with RapidOCR, on one thread.

One thread a reader: `evidence.extract` runs as many readers as there are cores, and a reader that took
all cores for itself would only stand in the way of the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import metadata, util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdsl_cli.errors import EvidenceError
from kdsl_cli.evidence.pictures import Pixels, decode
from kdsl_cli.logic.facts import OcrLine

MAX_SIDE = 960
"""Longest side, in pixels, at which text is looked for. By benchmarks/ocr_speed.py, 800 to 1600 read the same
letters on phone screens, down to 14 of 1560 pixels high, while the time for looking grows with the area."""

VERSION = 1
"""Counts changes in this file that change what is read; part of `engine_id`."""

_MIN_PICTURE = 8  # pixels; nothing with a shorter side holds a letter
_MAX_ENLARGEMENT = 1.5  # thumbnails gain from it, anything more only costs time
_TALL = 3.0  # height over width from which a picture is read in strips, as a shrunk one is illegible
_STRIP = 2.2  # height over width of a strip: that of a phone
_SLENDER = 16  # longest side over shortest that the engine takes
_LEAST_SIDE = 32  # pixels, for the engine
_MIN_SCORE = 0.5


class Reader:
    """Reads pictures; make one a process, as its models take about a second and 150 MB.

    Parameters
    ----------
    max_side
        Longest side in pixels at which text is looked for; letters are read at full size.
    """

    def __init__(self, *, max_side: int = MAX_SIDE) -> None:
        self.max_side = max_side
        self._engine = _load_engine(max_side)

    def read(self, data: bytes) -> tuple[OcrLine, ...]:
        """Return the lines of a picture file in reading order, with `image` 0.

        Raises
        ------
        PictureError
            If `data` is no picture that can be shown.
        """
        return self.read_pixels(decode(data))

    def read_pixels(self, pixels: Pixels) -> tuple[OcrLine, ...]:
        """Return the lines of a decoded picture in reading order, with `image` 0."""
        height, width = pixels.shape[:2]
        if min(height, width) < _MIN_PICTURE:
            return ()
        found: list[OcrLine] = []
        for top, bottom, keep_from, keep_to in _strips(height, width):
            for line in self._read_strip(pixels[top:bottom]):
                x0, y0, x1, y1 = line.box
                centre = top + (y0 + y1) / 2 * (bottom - top)
                if keep_from <= centre < keep_to:
                    scale = (bottom - top) / height
                    box = (x0, top / height + y0 * scale, x1, top / height + y1 * scale)
                    found.append(replace(line, box=box))
        rounded = [replace(line, box=_rounded(line.box)) for line in found]
        return reading_order(rounded)

    def _read_strip(self, pixels: Pixels) -> list[OcrLine]:
        import cv2

        height, width = pixels.shape[:2]
        enlargement = min(_MAX_ENLARGEMENT, self.max_side / max(height, width))
        picture: NDArray[Any] = np.ascontiguousarray(pixels[:, :, ::-1])  # the engine takes blue first
        if enlargement > 1:
            size = (round(width * enlargement), round(height * enlargement))
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
        height, width = picture.shape[:2]
        result = self._engine(_padded(picture))
        if result.txts is None or result.boxes is None:
            return []
        lines = []
        for text, score, corners in zip(result.txts, result.scores, result.boxes, strict=True):
            if not text.strip():
                continue
            (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
            box = (float(x0 / width), float(y0 / height), float(x1 / width), float(y1 / height))
            lines.append(OcrLine(0, 0, text.strip(), round(float(score), 4), box))
        return lines


def reading_order(lines: Sequence[OcrLine]) -> tuple[OcrLine, ...]:
    """Return the lines from top to bottom and, within a row, from left to right; `seq` counts them.

    A line belongs to a row when its centre is within half the lower of the two heights of the centre of
    the row's first line: a price and its smaller caption stand in one row, two lines of a paragraph do not.

    Examples
    --------
    >>> price = OcrLine(0, 0, "¥99", 1.0, (0.7, 0.11, 0.9, 0.15))
    >>> name = OcrLine(0, 0, "实付款", 1.0, (0.1, 0.12, 0.3, 0.145))
    >>> title = OcrLine(0, 0, "订单", 1.0, (0.4, 0.02, 0.6, 0.05))
    >>> [line.text for line in reading_order([price, name, title])]
    ['订单', '实付款', '¥99']
    """
    rows: list[list[OcrLine]] = []
    for line in sorted(lines, key=lambda line: (_centre(line), line.box, line.text)):
        first = rows[-1][0] if rows else None
        if first is not None and _centre(line) - _centre(first) < min(_height(line), _height(first)) / 2:
            rows[-1].append(line)
        else:
            rows.append([line])
    ordered = [line for row in rows for line in sorted(row, key=lambda line: (line.box, line.text))]
    return tuple(replace(line, seq=seq) for seq, line in enumerate(ordered))


def engine_id(max_side: int = MAX_SIDE) -> str:
    """Return a name of everything that shapes what is read, without loading the engine.

    Package and version, both models, and the settings of this file.
    """
    detector, recogniser = _model_paths()
    return (
        f"rapidocr-{metadata.version('rapidocr')}/{detector.stem}/{recogniser.stem}"
        f"/max_side={max_side}/reader={VERSION}"
    )


def _strips(height: int, width: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (top, bottom, keep from, keep to) in pixels: what to read, and whose centres count.

    Strips overlap, so that each line stands whole in one of them; the kept parts do not.
    """
    if height <= _TALL * width:
        yield 0, height, 0, height + 1
        return
    strip = max(math.ceil(_STRIP * width), MAX_SIDE)
    overlap = strip // 8
    top = 0
    while True:
        last = top + strip >= height
        bottom = height if last else top + strip
        keep_to = height + 1 if last else bottom - overlap // 2
        yield top, bottom, top + overlap // 2 if top else 0, keep_to
        if last:
            return
        # The next strip starts so that what it keeps begins where this one stopped keeping.
        top = keep_to - overlap // 2


def _padded(picture: NDArray[Any]) -> NDArray[Any]:
    """Return the picture with its last row and column repeated until the engine can scale it.

    The engine rounds scaled sides to multiples of 32, and gives up where that makes nothing of one.
    """
    import cv2

    height, width = picture.shape[:2]
    below = max(_LEAST_SIDE, width // _SLENDER) - height
    right = max(_LEAST_SIDE, height // _SLENDER) - width
    if below <= 0 and right <= 0:
        return picture
    padded: NDArray[Any] = cv2.copyMakeBorder(
        picture, 0, max(0, below), 0, max(0, right), borderType=cv2.BORDER_REPLICATE
    )
    return padded


def _model_paths() -> tuple[Path, Path]:
    """Return the detector and the recogniser that ship in the package."""
    spec = util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise EvidenceError("the package 'rapidocr' is not installed", fix="Reinstall kdsl-cli.")
    folder = Path(spec.origin).parent / "models"
    found = [sorted(folder.glob(f"*_{part}_*.onnx")) for part in ("det", "rec")]
    if not all(found):
        raise EvidenceError(
            "the models of RapidOCR are missing",
            where=str(folder),
            fix="Reinstall with: pip install --force-reinstall rapidocr",
        )
    return found[0][-1], found[1][-1]


def _load_engine(max_side: int) -> Any:
    import cv2
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    detector, recogniser = _model_paths()
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": _MIN_SCORE,
            "Global.use_cls": False,  # it only turns lines that stand on their heads
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            # Paths keep the engine from ever asking the network for its models.
            "Det.model_path": str(detector),
            "Rec.model_path": str(recogniser),
            "Det.limit_type": "max",
            "Det.limit_side_len": max_side,
            # On one thread a batch only adds padding: one line at a time, no wider than it is.
            "Rec.rec_batch_num": 1,
            "Rec.rec_img_shape": [3, 48, 96],
        }
    )


def _rounded(box: Sequence[float]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (round(min(1.0, max(0.0, side)), 4) for side in box)
    return x0, y0, x1, y1


def _centre(line: OcrLine) -> float:
    return (line.box[1] + line.box[3]) / 2


def _height(line: OcrLine) -> float:
    return line.box[3] - line.box[1]
