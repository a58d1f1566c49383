"""Splits as the command line names them, their dialogues, and where their pictures lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.commands.workspace.layout import SPLITS, Workspace
from kdsl_cli.errors import ConfigError, StageError, did_you_mean

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.schema import Dialogue


def with_earlier(asked: Sequence[str], space: Workspace, out: Path) -> list[str]:
    """Return the splits asked for and those that the stage in `out` saw before: one manifest holds for all.

    Raises
    ------
    ConfigError
        If a word is no split.
    StageError
        If a split that is asked for was not drawn.
    """
    from kdsl_cli.runs.manifest import read_manifest

    for word in asked:
        if word not in SPLITS:
            near = did_you_mean(word, SPLITS)
            raise ConfigError(f"unknown split '{word}'", where="--split", allowed=", ".join(SPLITS), fix=near)
        if not space.split_dialogues(word).is_file():
            where = str(space.split_dialogues(word))
            raise StageError("no such file", where=where, fix="Run: kdsl data split")
    found = read_manifest(out)
    before = found.config.get("splits", []) if found and found.status == "success" else []
    wanted = {*asked, *(name for name in before if space.split_dialogues(name).is_file())}
    return [name for name in SPLITS if name in wanted]


def dialogues_in(path: Path) -> tuple[Dialogue, ...]:
    """Read a file of dialogues; a picture that is not there is a fact that is not known, and no error."""
    from kdsl_cli.dialogues.readers.options import ReaderOptions
    from kdsl_cli.dialogues.readers.reading import read

    lenient = ReaderOptions(check_pictures=False)
    return read(path, format="canonical", options=lenient, max_errors=0).dialogues


def picture_root(space: Workspace, settings: Settings) -> Path:
    """Return the folder that names of pictures in the splits start from.

    Raises
    ------
    ConfigError
        If the settings name one that is not there.
    """
    images = settings.data.images
    return space.data if images is None else folder_of_pictures(space.path(images))


def folder_of_pictures(path: Path) -> Path:
    """Return the folder that ``data.images`` names.

    Raises
    ------
    ConfigError
        If it is not there.
    """
    if not path.is_dir():
        fix = "Move the pictures there, or mend that line of kdsl.yaml"
        raise ConfigError(f"no such folder: {path}", where="data.images", fix=fix)
    return path
