"""The image descriptors a rule may name: the one list that evidence fills and rules are checked against."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

KINDS: Final = ("photo", "screenshot")
"""What `ImageFact.kind` may be, besides None."""

FEATURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "width": "width in pixels",
        "height": "height in pixels",
        "aspect": "width divided by height: a phone screen is near 0.46, a square 1",
        "line_count": "lines of text read in the picture",
        "mean_saturation": "mean colour saturation, 0 grey to 1 vivid",
        "colour_count": "number of coarse colours that a visible share of the pixels has",
        "flat_fraction": "share of pixels equal to their neighbours, 0 to 1",
        "edge_density": "share of pixels on an edge, 0 to 1",
        "brightness": "mean brightness, 0 black to 1 white",
        "top_bar": "height of the band of one ground colour along the top, 0 to 0.5",
        "bottom_bar": "height of the band of one ground colour along the bottom, 0 to 0.5",
        "red_fraction": "share of red pixels, 0 to 1",
        "orange_fraction": "share of orange pixels, 0 to 1",
        "white_fraction": "share of white pixels, 0 to 1",
        "dark_fraction": "share of dark pixels, 0 to 1",
        "grey_fraction": "share of grey pixels, 0 to 1",
        "text_fraction": "share of the picture covered by boxes of read text, 0 to 1",
        "photo_score": "how much it looks taken by a camera, 0 screenshot to 1 photo",
    }
)
"""Name of each descriptor and its meaning in one line. `line_count` is counted from `Facts.ocr`; evidence
computes the others from the pixels and stores them in `ImageFact.features`."""
