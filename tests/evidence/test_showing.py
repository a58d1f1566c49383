"""Dialogues as a model is shown them."""

from __future__ import annotations

from pathlib import Path

from kdsl_cli.dialogues.prompting import Picture
from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.evidence.extract import find_pictures
from kdsl_cli.evidence.showing import shown
from kdsl_cli.runs.hashing import sha256_bytes


def test_pictures_are_named_by_content_and_a_missing_one_hides_its_dialogue(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"a picture")
    dialogues = [
        Dialogue("seen", "t", (Turn("customer", "look<image>", ("a.png",)),), label="secret"),
        Dialogue("lost", "t", (Turn("customer", "", ("a.png", "b.png")),)),
        Dialogue("told", "t", (Turn("customer", "hello"),)),
    ]
    picture = Picture(tmp_path / "a.png", sha256_bytes(b"a picture"))
    assert shown(dialogues, tmp_path, find_pictures(dialogues, tmp_path)) == {
        "seen": ("customer:", "look", picture),
        "lost": None,
        "told": ("customer:", "hello"),
    }
