"""Pictures changed a little."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from kdsl_cli.training.lora.samples.retouching import Retouch

SIZE = (90, 160)


@pytest.fixture
def picture() -> Image.Image:
    """Grey, with a white frame of six pixels."""
    image = Image.new("RGB", SIZE, "white")
    image.paste((120, 90, 60), (6, 6, SIZE[0] - 6, SIZE[1] - 6))
    return image


@pytest.mark.parametrize(
    "look",
    [
        Retouch((0.05, 0.04, 0.03, 0.02)),
        Retouch(brightness=0.8),
        Retouch(contrast=1.2),
        Retouch(saturation=0.8),
        Retouch(quality=40),
    ],
)
def test_each_change_shows_and_leaves_size_and_mode(picture: Image.Image, look: Retouch) -> None:
    changed = look(picture)
    assert changed.size == SIZE and changed.mode == "RGB"
    assert changed.tobytes() != picture.tobytes()
    assert np.abs(np.asarray(changed, int) - np.asarray(picture, int)).mean() < 40


def test_a_crop_cuts_each_side_by_its_own_share(picture: Image.Image) -> None:
    left, top, right, bottom = (
        np.asarray(Retouch(tuple(0.1 if at == side else 0.0 for at in range(4)))(picture))  # type: ignore[arg-type]
        for side in range(4)
    )
    assert left[80, 0].max() < 200 and left[80, -1].min() == 255
    assert top[0, 45].max() < 200 and top[-1, 45].min() == 255
    assert right[80, -1].max() < 200 and right[80, 0].min() == 255
    assert bottom[-1, 45].max() < 200 and bottom[0, 45].min() == 255


def test_nothing_drawn_changes_nothing(picture: Image.Image) -> None:
    assert Retouch()(picture) is picture
