"""``kdsl data split``: which dialogues are learnt from, which are chosen by, which are scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kdsl_cli.commands.intake.pairs import fractions_of, pairs
from kdsl_cli.commands.intake.reading import (
    File,
    ImageRoot,
    MaxErrors,
    accepted,
    default_folder,
    pictures_from,
    source_of,
)

if TYPE_CHECKING:
    from kdsl_cli.dialogues.duplicates import Fingerprints
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.dialogues.splits import Splits


def command(
    file: File = None,
    fractions: Annotated[
        str | None, typer.Option(metavar="NAME=SHARE,...", help="As in train=0.7,val=0.1,test=0.2.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed, another parting.")] = None,
    given: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE", help="Adopt a split made elsewhere; repeatable.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Default: beside FILE; of none, data/.")
    ] = None,
    image_root: ImageRoot = None,
    max_errors: MaxErrors = 0,
) -> None:
    """Part the dialogues; groups and duplicates stay together."""
    from kdsl_cli.dialogues.duplicates import fingerprints
    from kdsl_cli.dialogues.readers.reading import read_many
    from kdsl_cli.errors import ConfigError

    if given and (file or fractions or seed is not None):
        raise ConfigError("--given adopts splits as they are", fix="Leave out FILE, --fractions and --seed.")
    path, options = source_of(file, image_root, None, read=not given)
    folder = out or default_folder(file, path)
    root = pictures_from(folder)
    sources = {name: Path(value) for name, value in pairs("--given", given or []).items()} or {"": path}
    parts = {
        name: accepted(read_many([source], folder=root, options=options), max_errors).dialogues
        for name, source in sources.items()
    }
    dialogues = {each.id: each for part in parts.values() for each in part}
    prints = fingerprints(dialogues.values(), root)
    drawn = _adopted(parts, prints) if given else _drawn(parts[""], prints, fractions_of(fractions), seed)
    _write(drawn, dialogues, folder)


def _adopted(parts: Mapping[str, Sequence[Dialogue]], prints: Fingerprints) -> Splits:
    from kdsl_cli.dialogues import splits

    found = splits.given(parts, fingerprints=prints)
    splits.refuse_leaks(found)
    return found


def _drawn(
    dialogues: Sequence[Dialogue], prints: Fingerprints, shares: Mapping[str, float], seed: int | None
) -> Splits:
    """Part the dialogues by these shares and this seed, or else by those of the settings."""
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.dialogues import splits

    usual = current_settings().splits
    wanted = shares or {"train": usual.train, "val": usual.val, "test": usual.test}
    return splits.split(dialogues, wanted, usual.seed if seed is None else seed, fingerprints=prints)


def _write(drawn: Splits, dialogues: Mapping[str, Dialogue], folder: Path) -> None:
    from kdsl_cli.commands.workspace.layout import SPLITS
    from kdsl_cli.dialogues import jsonl, splits
    from kdsl_cli.runs.atomic import write_text

    for name, ids in drawn.ids.items():
        write_text(folder / f"{name}.jsonl", jsonl.dump(dialogues[id] for id in ids))
    for name in SPLITS:
        if name not in drawn.ids:  # left by an earlier parting: its dialogues may now be in another split
            (folder / f"{name}.jsonl").unlink(missing_ok=True)
    write_text(folder / splits.FILE, drawn.dump())  # last: it vouches for the others
    _show(drawn, folder / splits.FILE)


def _show(drawn: Splits, path: Path) -> None:
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.layout import SPLITS
    from kdsl_cli.dialogues.duplicates import components
    from kdsl_cli.errors import did_you_mean

    joined = [len(ids) for ids in components(drawn.fingerprints) if len(ids) > 1]
    if joined:
        note = f"{sum(joined)} dialogues hang together in {len(joined)} groups or sets of duplicates"
        current_output().note(f"{note}, the largest of {max(joined)}")
    for name in drawn.ids:
        if name not in SPLITS:
            near = did_you_mean(name, SPLITS)
            current_output().warn(
                f"no stage reads a split '{name}', but {', '.join(SPLITS)}. {near or ''}".strip()
            )
    counts = {name: len(ids) for name, ids in drawn.ids.items()}
    human = ", ".join(f"{name} {count}" for name, count in counts.items())
    data = {"path": str(path), "seed": drawn.seed, "splits": counts}
    current_output().result(f"{human}: {path}", data, str(path))
