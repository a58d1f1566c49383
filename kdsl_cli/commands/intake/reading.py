"""Where dialogues come from, as told or as the settings say, and how many bad rows are too many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.dialogues.readers.options import ReaderOptions
    from kdsl_cli.dialogues.readers.reading import ReadResult

File = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="Dialogues; default: those the settings name.")
]
MaxErrors = Annotated[int, typer.Option(min=0, metavar="N", help="Bad rows to go on with; each is named.")]
ImageRoot = Annotated[
    Path | None,
    typer.Option(metavar="DIR", exists=True, file_okay=False, help="Where pictures are looked for first."),
]
CatalogueFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Tasks and intents (intents.yaml).")]


def default_path(name: str) -> Path:
    """Return the file that the settings call `name`, from the workspace's root if there is one."""
    from kdsl_cli.commands.workspace.layout import find_workspace

    workspace = find_workspace()
    return workspace.path(name) if workspace else Path(name)


def default_folder(file: Path | None, path: Path) -> Path:
    """Return the folder that splits of the dialogues at `path` go into: beside a `file` that was named.

    Those of the settings are parted where every stage looks for their splits, wherever they lie themselves.
    """
    from kdsl_cli.commands.workspace.layout import find_workspace

    workspace = find_workspace()
    return workspace.data if workspace and file is None else path.parent


def pictures_from(folder: Path) -> Path:
    """Return where names of pictures start from in files of `folder`: there, or where the settings say.

    What the settings say holds for the files of the workspace, and for no file elsewhere.
    """
    from kdsl_cli.commands.workspace.layout import find_workspace
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    workspace, settings = find_workspace(), current_settings().data
    if workspace is None or settings.images is None:
        return folder
    own = {workspace.data.resolve(), workspace.path(settings.dialogues).parent.resolve()}
    return workspace.path(settings.images) if folder.resolve() in own else folder


def source_of(
    file: Path | None,
    image_root: Path | None,
    catalogue: Path | None,
    *,
    check_pictures: bool = True,
    read: bool = True,
) -> tuple[Path, ReaderOptions]:
    """Return the dialogues' file and how to read it: as told, else as the settings say.

    Parameters
    ----------
    check_pictures
        Whether pictures must be there.
    read
        Whether that file is going to be read, or only stands for its folder.

    Raises
    ------
    KdslError
        If no file is told and the usual one is to be read and not there yet, or the catalogue cannot be read.
    """
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.commands.workspace.splits import folder_of_pictures
    from kdsl_cli.dialogues.readers.options import ReaderOptions
    from kdsl_cli.errors import DatasetError

    settings = current_settings().data
    if image_root is None and settings.images is not None:
        image_root = folder_of_pictures(default_path(settings.images))
    usual = default_path(settings.catalogue)
    if catalogue is None and file is None and usual.is_file():
        catalogue = usual
    options = ReaderOptions(
        image_root=image_root, catalogue=load_catalogue(catalogue), check_pictures=check_pictures
    )
    path = file or default_path(settings.dialogues)
    if read and file is None and not path.is_file():
        fix = "Bring dialogues in: kdsl data import FILE, or name the file they are in"
        raise DatasetError("no such file", where=str(path), fix=fix)
    return path, options


def load_catalogue(path: Path | None) -> Catalogue | None:
    """Return a catalogue; of no file, none."""
    from kdsl_cli.dialogues.catalogue import Catalogue

    return Catalogue.load(path) if path else None


def accepted(result: ReadResult, max_errors: int) -> ReadResult:
    """Return `result` if it has few enough bad rows, each of which is then told as a warning.

    Raises
    ------
    CheckFailed
        If it has more than `max_errors`, or no dialogue.
    """
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.dialogues.readers.reading import shortened
    from kdsl_cli.errors import CheckFailed

    if result.bad_rows > max_errors or not result.dialogues:
        raise CheckFailed(shortened(result.problems) or "there is no dialogue")
    for problem in result.problems:
        current_output().warn(problem.render())
    return result
