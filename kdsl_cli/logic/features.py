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
        "aspect": "height divided by width: a phone screen is near 2, a square 1",
        "line_count": "lines of text read in the picture",
        "mean_saturation": "mean colour saturation, 0 grey to 1 vivid",
        "colour_count": "distinct coarse colours, 0 few to 1 many",
        "flat_fraction": "share of blocks with hardly any texture, 0 to 1",
        "edge_density": "share of pixels on an edge, 0 to 1",
        "brightness": "mean brightness, 0 black to 1 white",
        "top_bar": "how uniform the strip along the top is, 0 to 1",
        "bottom_bar": "how uniform the strip along the bottom is, 0 to 1",
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
