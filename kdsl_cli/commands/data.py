"""``kdsl data``: bring dialogues in, check them, part them, count them, give them to other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from kdsl_cli.commands.settings import Settings
    from kdsl_cli.dialogues.catalogue import Catalogue
    from kdsl_cli.dialogues.readers.options import Columns, ReaderOptions
    from kdsl_cli.dialogues.readers.reading import ReadResult
    from kdsl_cli.dialogues.splits import Splits

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Import, check, split, count and export dialogues."
)

_FORMATS = Literal["auto", "canonical", "challenge", "messages", "sharegpt", "tabular"]

_File = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="Dialogues; default: those the settings name.")
]
_MaxErrors = Annotated[int, typer.Option(min=0, metavar="N", help="Bad rows to go on with; each is named.")]
_ImageRoot = Annotated[Path | None, typer.Option(metavar="DIR", help="Where pictures are looked for first.")]
_Catalogue = Annotated[Path | None, typer.Option(metavar="FILE", help="Tasks and intents (intents.yaml).")]


@app.command("import")
def import_(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="Files to bring in.")],
    format: Annotated[_FORMATS, typer.Option(help="What the files are.")] = "auto",
    task: Annotated[str | None, typer.Option(help="The task of rows that name none.")] = None,
    image_root: _ImageRoot = None,
    columns: Annotated[
        str | None, typer.Option(help="Of a table: id=sku,text=question,images=files,label=. Empty: no such.")
    ] = None,
    label_from: Annotated[
        Literal["field", "reply"], typer.Option(help="Whether a chat's label is a field or the last answer.")
    ] = "field",
    catalogue: _Catalogue = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Default: where the settings say.")] = None,
    max_errors: _MaxErrors = 0,
) -> None:
    """Turn files into one file of dialogues with its pictures beside it."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.dialogues import jsonl
    from kdsl_cli.dialogues.pictures import gather
    from kdsl_cli.dialogues.readers.options import ReaderOptions
    from kdsl_cli.dialogues.readers.reading import read_many
    from kdsl_cli.runs.atomic import write_bytes, write_text

    target = out or _default(_settings().data.dialogues)
    options = ReaderOptions(
        task=task,
        image_root=image_root,
        label_from=label_from,
        columns=_columns(columns),
        catalogue=_catalogue(catalogue),
    )
    read = _accepted(read_many(sources, folder=target.parent, format=format, options=options), max_errors)
    dialogues, copies = gather(read.dialogues, target.parent)
    for name, source in copies.items():
        if not (target.parent / name).exists():  # the name is the content: what is there is the same
            write_bytes(target.parent / name, source.read_bytes())
    write_text(target, jsonl.dump(dialogues))
    data = {
        "path": str(target),
        "dialogues": len(dialogues),
        "pictures": len(copies),
        "bad_rows": read.bad_rows,
    }
    human = f"Wrote {len(dialogues)} dialogues with {len(copies)} pictures to {target}"
    current_output().result(human, data, str(target))


@app.command()
def check(
    file: _File = None,
    catalogue: _Catalogue = None,
    image_root: _ImageRoot = None,
    max_errors: _MaxErrors = 0,
) -> None:
    """Name every bad row: by file, line and id, with what is expected there."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.dialogues.readers.reading import read

    path, options = _source(file, image_root, catalogue)
    result = _accepted(read(path, options=options), max_errors)
    intents = {(each.task, each.label) for each in result.dialogues if each.label is not None}
    data = {
        "path": str(path),
        "dialogues": len(result.dialogues),
        "bad_rows": result.bad_rows,
        "intents": len(intents),
        "unlabelled": sum(each.label is None for each in result.dialogues),
        "pictures": sum(len(each.images) for each in result.dialogues),
    }
    against = "" if options.catalogue is None else ", all in the catalogue"
    human = f"{path}: {data['dialogues']} dialogues of {data['intents']} intents{against}; "
    human += f"{data['unlabelled']} without a label, {data['pictures']} pictures, {data['bad_rows']} bad rows"
    current_output().result(human, data, str(path))


@app.command()
def split(
    file: _File = None,
    fractions: Annotated[
        str | None, typer.Option(metavar="NAME=SHARE,...", help="As in train=0.7,val=0.1,test=0.2.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed, another parting.")] = None,
    given: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE", help="Adopt a split made elsewhere; repeatable.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Default: the folder of the dialogues.")
    ] = None,
    image_root: _ImageRoot = None,
    max_errors: _MaxErrors = 0,
) -> None:
    """Part the dialogues; groups and duplicates stay together."""
    from kdsl_cli.commands.workspace import SPLITS
    from kdsl_cli.dialogues import jsonl, splits
    from kdsl_cli.dialogues.duplicates import fingerprints
    from kdsl_cli.dialogues.readers.reading import read_many
    from kdsl_cli.errors import ConfigError
    from kdsl_cli.runs.atomic import write_text

    if given and (file or fractions or seed is not None):
        raise ConfigError("--given adopts splits as they are", fix="Leave out FILE, --fractions and --seed.")
    path, options = _source(file, image_root, None)
    folder = out or path.parent
    sources = {name: Path(value) for name, value in _pairs("--given", given or []).items()} or {"": path}
    parts = {
        name: _accepted(read_many([source], folder=folder, options=options), max_errors).dialogues
        for name, source in sources.items()
    }
    dialogues = {each.id: each for part in parts.values() for each in part}
    prints = fingerprints(dialogues.values(), folder)
    if given:
        drawn = splits.given(parts, fingerprints=prints)
        splits.refuse_leaks(drawn)
    else:
        usual = _settings().splits
        shares = _fractions(fractions) or {"train": usual.train, "val": usual.val, "test": usual.test}
        drawn = splits.split(parts[""], shares, usual.seed if seed is None else seed, fingerprints=prints)
    for name, ids in drawn.ids.items():
        write_text(folder / f"{name}.jsonl", jsonl.dump(dialogues[id] for id in ids))
    for name in SPLITS:
        if name not in drawn.ids:  # left by an earlier parting: its dialogues may now be in another split
            (folder / f"{name}.jsonl").unlink(missing_ok=True)
    write_text(folder / splits.FILE, drawn.dump())  # last: it vouches for the others
    _show_splits(drawn, folder / splits.FILE)


@app.command()
def stats(
    file: _File = None,
    catalogue: _Catalogue = None,
    max_errors: _MaxErrors = 0,
) -> None:
    """Count dialogues, pictures and turns of every intent."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.dialogues.readers.reading import read
    from kdsl_cli.dialogues.statistics import per_intent

    path, options = _source(file, None, catalogue, check_pictures=False)
    dialogues = _accepted(read(path, options=options), max_errors).dialogues
    frame = per_intent(dialogues, options.catalogue)
    current_output().result(_table(frame, str(path)), frame.to_dicts(), str(len(dialogues)))


@app.command()
def export(
    file: _File = None,
    *,
    format: Annotated[Literal["canonical", "messages", "sharegpt"], typer.Option(help="What to write.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The JSON Lines to write.")],
    label_as: Annotated[
        Literal["field", "reply"], typer.Option(help="Whether the label is a field or the last answer.")
    ] = "field",
    for_tuning: Annotated[
        bool,
        typer.Option("--for-tuning", help="Our prompts, with intents as answers; FILE: the training split."),
    ] = False,
    catalogue: _Catalogue = None,
    image_root: _ImageRoot = None,
    max_errors: _MaxErrors = 0,
) -> None:
    """Write the dialogues in a form that other programs train on; pictures stay where they are."""
    from kdsl_cli.commands import tuning_export
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.dialogues.export import export as exported
    from kdsl_cli.dialogues.readers.reading import read_many
    from kdsl_cli.errors import ConfigError
    from kdsl_cli.runs.atomic import write_text

    if for_tuning:
        file = file or tuning_export.training_split()
        catalogue = catalogue or _default(_settings().data.catalogue)
    path, options = _source(file, image_root, catalogue)
    if out.resolve() == path.resolve():
        raise ConfigError(f"--out is the file that is read: {path}", fix="Name another file.")
    dialogues = _accepted(read_many([path], folder=out.parent, options=options), max_errors).dialogues
    if for_tuning and options.catalogue:
        tuning_export.write(dialogues, options.catalogue, format, out)
        return
    write_text(out, exported(dialogues, format, label_as=label_as))
    data = {"path": str(out), "dialogues": len(dialogues), "format": format}
    current_output().result(f"Wrote {len(dialogues)} dialogues to {out}", data, str(out))


def _settings() -> Settings:
    from kdsl_cli.commands.settings_sources import current_settings

    return current_settings()


def _default(name: str) -> Path:
    """Return the file that the settings call `name`, from the workspace's root if there is one."""
    from kdsl_cli.commands.workspace import find_workspace

    workspace = find_workspace()
    return workspace.path(name) if workspace else Path(name)


def _source(
    file: Path | None, image_root: Path | None, catalogue: Path | None, *, check_pictures: bool = True
) -> tuple[Path, ReaderOptions]:
    """Return the dialogues' file and how to read it: as told, else as the settings say."""
    from kdsl_cli.dialogues.readers.options import ReaderOptions

    settings = _settings().data
    if image_root is None and settings.images is not None:
        image_root = _default(settings.images)
    usual = _default(settings.catalogue)
    if catalogue is None and file is None and usual.is_file():
        catalogue = usual
    options = ReaderOptions(
        image_root=image_root, catalogue=_catalogue(catalogue), check_pictures=check_pictures
    )
    return file or _default(settings.dialogues), options


def _catalogue(path: Path | None) -> Catalogue | None:
    from kdsl_cli.dialogues.catalogue import Catalogue

    return Catalogue.load(path) if path else None


def _accepted(result: ReadResult, max_errors: int) -> ReadResult:
    """Return `result` if it has few enough bad rows, each of which is then told as a warning."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.dialogues.readers.reading import shortened
    from kdsl_cli.errors import CheckFailed

    if result.bad_rows > max_errors or not result.dialogues:
        raise CheckFailed(shortened(result.problems) or "there is no dialogue")
    for problem in result.problems:
        current_output().warn(problem.render())
    return result


def _pairs(option: str, words: list[str]) -> dict[str, str]:
    from kdsl_cli.errors import ConfigError

    found: dict[str, str] = {}
    for word in words:
        name, sign, value = (part.strip() for part in word.partition("="))
        if not sign or not name or name in found:
            fault = "stands twice" if name in found else "is no NAME=VALUE"
            raise ConfigError(f"{option}: '{word}' {fault}", allowed="each NAME=VALUE once")
        found[name] = value
    return found


def _fractions(text: str | None) -> dict[str, float]:
    from kdsl_cli.errors import ConfigError

    shares = {}
    for name, value in _pairs("--fractions", text.split(",") if text else []).items():
        try:
            shares[name] = float(value)
        except ValueError as error:
            raise ConfigError(f"--fractions: '{value}' is no number", allowed="0 to 1") from error
    return shares


def _columns(text: str | None) -> Columns:
    from dataclasses import fields

    from kdsl_cli.dialogues.readers.options import Columns
    from kdsl_cli.errors import ConfigError, did_you_mean

    named = _pairs("--columns", text.split(",") if text else [])
    known = [field.name for field in fields(Columns)]
    for name in named:
        if name not in known:
            fix = did_you_mean(name, known)
            raise ConfigError(f"--columns: unknown '{name}'", allowed=", ".join(known), fix=fix)
    return Columns(**{name: column or None for name, column in named.items()})


def _show_splits(drawn: Splits, path: Path) -> None:
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.dialogues.duplicates import components

    joined = [len(ids) for ids in components(drawn.fingerprints) if len(ids) > 1]
    if joined:
        note = f"{sum(joined)} dialogues hang together in {len(joined)} groups or sets of duplicates"
        current_output().note(f"{note}, the largest of {max(joined)}")
    counts = {name: len(ids) for name, ids in drawn.ids.items()}
    human = ", ".join(f"{name} {count}" for name, count in counts.items())
    data = {"path": str(path), "seed": drawn.seed, "splits": counts}
    current_output().result(f"{human}: {path}", data, str(path))


def _table(frame: pl.DataFrame, title: str) -> Table:
    from rich.table import Table

    table = Table(title=title)
    for name, dtype in frame.schema.items():
        table.add_column(name.replace("_", " "), justify="right" if dtype.is_numeric() else "left")
    for row in frame.iter_rows():
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
