"""Cuts the two fonts down to the characters the generator writes; needed again only when its words change.

`pip install fonttools`, then `python subset_fonts.py /usr/share/fonts/opentype/noto` (Debian package
fonts-noto-cjk).
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection

HERE = Path(__file__).resolve().parent


def characters() -> str:
    """Return every printable character of the generator's own text, which is all it can draw."""
    source = "".join(path.read_text(encoding="utf-8") for path in sorted((HERE / "shopgen").glob("*.py")))
    return "".join(sorted({*source, *map(chr, range(32, 127)), "¥"} - {"\n"}))


def main(folder: Path) -> None:
    """Write both weights to `fonts/`."""
    for weight in ("Regular", "Bold"):
        fonts = TTCollection(folder / f"NotoSansCJK-{weight}.ttc", lazy=True).fonts
        font = next(font for font in fonts if font["name"].getDebugName(1).startswith("Noto Sans CJK SC"))
        options = subset.Options(
            layout_features=[], notdef_outline=True, hinting=False, name_IDs=[0, 1, 2, 4, 6, 13, 14]
        )
        cutter = subset.Subsetter(options)
        cutter.populate(text=characters())
        cutter.subset(font)
        font["head"].modified = font["head"].created  # the same bytes every time
        font.recalcTimestamp = False
        font.save(HERE / "fonts" / f"shop-sans-{weight.lower()}.otf")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
