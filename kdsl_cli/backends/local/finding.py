"""From the name of a model to its weights on this machine, and to which they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kdsl_cli import extras
from kdsl_cli.errors import BackendError
from kdsl_cli.runs.hashing import sha256_path

_HUB_ID: Final = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_FILES: Final = ("*.json", "*.jinja", "*.txt", "*.model", "*.safetensors")


@dataclass(frozen=True, slots=True)
class Source:
    """Where weights lie, and which they are.

    Attributes
    ----------
    folder
        With the weights.
    name
        Of the model as others may know it: a hub id, or the folder's own name without the way to it.
    revision
        The commit of a hub id. Of a folder, "sha256:" and the hash of the names and contents of its files, so
        that other weights under the same path are another revision.
    """

    folder: Path
    name: str
    revision: str


def find(name: str, revision: str | None) -> Source:
    """Return where the weights called `name` lie on this machine, fetched from the hub if need be.

    A folder has no history; a revision asked of it is the beginning of its content's hash.

    Raises
    ------
    BackendError
        If there is neither such a folder nor such a model, or the folder holds another revision.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        held = f"sha256:{sha256_path(folder)}"
        if revision and not held.removeprefix("sha256:").startswith(revision.removeprefix("sha256:")):
            raise BackendError(
                f"its contents are revision {held}, not {revision}",
                where=name,
                fix="Leave out '@' to take it as it is",
            )
        return Source(folder, folder.resolve().name, held)
    check_named(name)
    return _fetched(name, revision)


def check_named(name: str) -> None:
    """Do nothing if there is such a folder, or the hub could have such a model; nobody is asked.

    Raises
    ------
    BackendError
        If neither is so.
    """
    if not Path(name).expanduser().is_dir() and not _HUB_ID.fullmatch(name):
        raise BackendError(
            "there is no such folder",
            where=name,
            allowed="the folder of a checkpoint, or the id of one on the Hugging Face hub",
            fix="To try without a download: kdsl tiny-model DIR",
        )


def _fetched(name: str, revision: str | None) -> Source:
    hub: Any = extras.require("huggingface_hub", extra="local", feature="a model of the hub")
    try:
        folder = Path(hub.snapshot_download(name, revision=revision, allow_patterns=list(_FILES)))
    except (OSError, ValueError, hub.errors.HfHubHTTPError) as error:
        raise BackendError(
            f"is not on this machine and cannot be fetched ({type(error).__name__})",
            where=f"{name}@{revision}" if revision else name,
            fix="Check the name, and HF_HUB_OFFLINE; or give a folder; to try: kdsl tiny-model DIR",
        ) from error
    return Source(folder, name, folder.name)  # a snapshot's folder is called as its commit
