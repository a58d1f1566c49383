"""What a processor does, as a hash: of what it makes of fixed prompts and one fixed picture.

Its settings would not do: libraries read the same settings in another way from one version to the next, and
name new ones. What comes out is what the model sees.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any, Final

from kdsl_cli.backends.local.rendering import Renderer
from kdsl_cli.dialogues.prompting import Picture, Prompt
from kdsl_cli.runs.hashing import sha256_json

_SIDE: Final = 56
_COLOURS: Final = ((200, 30, 60), (20, 180, 90), (10, 60, 240), (128, 128, 128))
_DIGITS: Final = 3  # of a pixel's number: more would tell processors of the same kind apart by float noise


def fingerprint(renderer: Renderer) -> str:
    """Return 64 hexadecimal digits: the same wherever prompts and pictures become the same tensors.

    Template, tokenizer, colours, patches and their order count. How large a picture is shown does not: that
    is `max_pixels`.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "four-colours.png"
        path.write_bytes(_four_colours())
        shown = Picture(path, hashlib.sha256(path.read_bytes()).hexdigest())
        prompts = (Prompt("Which one? 哪个？", ("a", shown, "β 1,234\nb")), Prompt("", ("alone",)))
        rows = [renderer.row(prompt) for prompt in prompts]
    tensors = [{name: _told(tensor) for name, tensor in row.inputs.items()} for row in rows]
    return sha256_json([tensors, renderer.tokens("退款 refund-only"), renderer.end])


def _told(tensor: Any) -> list[Any]:
    return [list(tensor.shape), [round(value, _DIGITS) + 0.0 for value in tensor.flatten().tolist()]]


def _four_colours() -> bytes:
    """Return a picture of four flat colours as PNG: it tells up from down, and red from blue."""
    import io

    from PIL import Image

    image = Image.new("RGB", (_SIDE, _SIDE))
    half = _SIDE // 2
    for place, colour in enumerate(_COLOURS):
        corner = (place % 2 * half, place // 2 * half)
        image.paste(colour, (*corner, corner[0] + half, corner[1] + half))
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()
