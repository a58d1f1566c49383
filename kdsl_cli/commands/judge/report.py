"""``kdsl report``: one page that shows what an evaluation found, down to the evidence of each decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    import polars as pl

    from kdsl_cli.commands.workspace.layout import Workspace
    from kdsl_cli.commands.workspace.settings import Settings
    from kdsl_cli.dialogues.schema import Dialogue
    from kdsl_cli.logic.facts import Facts
    from kdsl_cli.logic.rule import RuleBase
    from kdsl_cli.reporting.page.material import Material
    from kdsl_cli.reporting.tables import Tables
    from kdsl_cli.runs.manifest import Manifest

Split = Literal["train", "val", "test"]
Show = Literal["thumbnails", "linked", "none"]

LARGE = 30_000_000
"""Bytes from which a page is slow to send and to open."""


def command(
    split: Annotated[Split, typer.Option(help="Whose evaluation.")] = "test",
    pictures: Annotated[
        Show | None,
        typer.Option(help="Small copies in the page, links to the files, or none.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write it; else beside the tables.", show_default=False)
    ] = None,
) -> None:
    """Write the page to look at: how good it is, where it fails, and why each was decided so."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.layout import current_workspace
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.reporting.tables import Tables
    from kdsl_cli.runs.inputs import require_success

    place, settings = current_workspace(), current_settings({"eval.pictures": pictures})
    require_success(place.eval_out(split), command=f"kdsl eval --split {split}")
    path = out or place.report(split)
    written = write_report(place, settings, split, Tables.read(place.eval_out(split)), path)
    told = f"{path}: {written.dialogues} dialogues, {written.bytes / 1e6:.1f} MB. Open it in a browser."
    data = {"path": str(path), "bytes": written.bytes, "dialogues": written.dialogues}
    current_output().result(told, data, str(path))


@dataclass(frozen=True, slots=True)
class Written:
    """The size of a page, and how many dialogues it shows."""

    bytes: int
    dialogues: int


def write_report(
    space: Workspace,
    settings: Settings,
    split: str,
    tables: Tables,
    path: Path,
    *,
    bases: Mapping[str, RuleBase] | None = None,
) -> Written:
    """Write the page of an evaluation to `path`, whole or not at all.

    What is not there is not shown: without evidence no card tells what decided, without the extra `report`
    there are no curves. `bases` are the rules by task; None: they are read.

    Raises
    ------
    KdslError
        If the predictions are not there or not whole, or a file that is there is broken.
    """
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.splits import picture_root
    from kdsl_cli.reporting.page.charts import EXTRA, available
    from kdsl_cli.reporting.page.page import page
    from kdsl_cli.runs.atomic import write_text

    output, show = current_output(), settings.eval.pictures
    material = gathered(space, split, tables, bases)
    names = [name for id in material.predictions.frame["id"] for name in _pictures_of(material, id)]
    sources = _sources(names, picture_root(space, settings), show, path)
    text = page(material, sources, linked_pictures=show == "linked")
    write_text(path, text)
    size = path.stat().st_size
    if size > LARGE and show == "thumbnails":
        output.warn(f"{path} has {size / 1e6:.0f} MB: with --pictures linked it stays small")
    if not available():
        output.note(f"{path}: without curves; to have them: pip install 'kdsl-cli[{EXTRA}]'")
    return Written(size, material.predictions.frame.height)


def _sources(names: Sequence[str], root: Path, show: Show, page: Path) -> dict[str, str]:
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.reporting.page.pictures import picture_sources

    if show != "thumbnails" or not names:
        return picture_sources(names, root, show=show, page=page)
    with current_output().progress("Copying pictures", len(set(names)), "pictures") as bar:
        return picture_sources(names, root, show=show, page=page, advance=bar.advance)


def gathered(
    space: Workspace, split: str, tables: Tables, bases: Mapping[str, RuleBase] | None = None
) -> Material:
    """Return what the stages left of a split, as far as it is there; None: read the rules too.

    Raises
    ------
    KdslError
        As `write_report`.
    """
    from kdsl_cli.commands.workspace.splits import dialogues_in
    from kdsl_cli.prediction.table import read_predictions
    from kdsl_cli.reporting.page.material import Material
    from kdsl_cli.runs.appendlog import read_log

    predictions = read_predictions(space.predictions(split))
    rules = dict(_bases(space, predictions.intents)) if bases is None else bases
    path = space.split_dialogues(split)
    dialogues = {one.id: one for one in dialogues_in(path)} if path.is_file() else {}
    manifests = tuple(_manifests(space, split))
    return Material(
        name=space.root.resolve().name,
        split=split,
        predictions=predictions,
        tables=tables,
        bases=rules,
        dialogues=dialogues,
        facts=_facts(space, split, rules),
        searches=read_log(space.search_log) if space.search_log.is_file() else (),
        training=_training(space),
        manifests=manifests,
        warnings=[
            warning for made in manifests if made.stage in ("predict", "eval") for warning in made.warnings
        ],
    )


def _pictures_of(material: Material, id: str) -> tuple[str, ...]:
    dialogue: Dialogue | None = material.dialogues.get(id)
    return dialogue.images if dialogue else ()


def _bases(space: Workspace, intents: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, RuleBase]]:
    from kdsl_cli.logic.codec import load_rules

    for task, names in intents.items():
        if space.rules(task).is_file():
            yield task, load_rules(space.rules(task), intents=names)


def _facts(space: Workspace, split: str, bases: Mapping[str, RuleBase]) -> Mapping[str, Facts]:
    """Return the facts of a split with the answers that its rules ask for, as far as they are known."""
    from kdsl_cli.commands.extract.rule_questions import answers_of, questions_of
    from kdsl_cli.evidence.answers import read_answers, with_answers
    from kdsl_cli.evidence.table import read_facts

    if not space.evidence(split).is_file():
        return {}
    facts = read_facts([space.evidence(split)])
    questions = questions_of(bases.values())
    if not questions:
        return facts
    files, _ = answers_of(space, split, questions)
    return with_answers(facts, read_answers(files))


def _training(space: Workspace) -> pl.DataFrame | None:
    import polars as pl

    return pl.read_parquet(space.training_metrics) if space.training_metrics.is_file() else None


def _manifests(space: Workspace, split: str) -> Iterator[Manifest]:
    from kdsl_cli.runs.manifest import read_manifest

    before = (space.evidence_out, space.mine_out, space.prune_out, space.export_out, space.large_out)
    for folder in (*before, space.answers_out, space.predict_out(split), space.eval_out(split)):
        if (made := read_manifest(folder)) is not None:
            yield made
