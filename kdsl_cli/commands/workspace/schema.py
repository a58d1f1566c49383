"""``kdsl schema``: what files of KDSL may hold, as JSON Schema, and editors told of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from kdsl_cli.commands.workspace.layout import Workspace
    from kdsl_cli.dialogues.catalogue import Catalogue

Kind = Literal["rules", "dialogue", "intents", "config", "manifest"]


def command(
    kind: Annotated[
        Kind | None,
        typer.Argument(metavar="[KIND]", help="rules, dialogue, intents, config or manifest."),
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Rules of this task of the catalogue: its intents are offered.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it; else printed.")] = None,
    editor: Annotated[
        bool,
        typer.Option(
            "--editor", help="Write all schemas into the workspace, and name them in its YAML files."
        ),
    ] = False,
) -> None:
    """Print a JSON Schema, or let editors check and complete the files of this workspace."""
    import json

    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.modelines import write_schema
    from kdsl_cli.errors import ConfigError

    output = current_output()
    if editor:
        if kind or out:
            raise ConfigError("is for all files at once", where="--editor", fix="Leave out KIND and --out")
        written = _tell_editors()
        output.result("\n".join(f"wrote {path}" for path in written), written, written)
        return
    if kind is None:
        raise ConfigError(
            "nothing to print", allowed="rules, dialogue, intents, config, manifest, or --editor"
        )
    schema = _schema(kind, task)
    if out is not None:
        write_schema(out, schema)
        output.result(str(out), {"path": str(out)}, str(out))
    else:
        output.result(json.dumps(schema, ensure_ascii=False, indent=2), schema, json.dumps(schema))


def _schema(kind: Kind, task: str | None) -> dict[str, Any]:
    from kdsl_cli.dialogues.json_schemas import catalogue_schema, dialogue_schema
    from kdsl_cli.errors import ConfigError
    from kdsl_cli.logic.rule_schema import rule_schema

    if task is not None and kind != "rules":
        raise ConfigError("comes with rules alone", where="--task")
    match kind:
        case "rules":
            return rule_schema(task, _catalogue().task(task).names) if task else rule_schema()
        case "dialogue":
            return dialogue_schema()
        case "intents":
            return catalogue_schema()
        case "config":
            return _config_schema()
        case "manifest":
            return _manifest_schema()


def _catalogue() -> Catalogue:
    from kdsl_cli.commands.workspace.layout import current_workspace
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.dialogues.catalogue import Catalogue

    return Catalogue.load(current_workspace().path(current_settings().data.catalogue))


def _config_schema() -> dict[str, Any]:
    from kdsl_cli.commands.workspace.settings import Settings

    return _draft_7(Settings.model_json_schema(ref_template="#/definitions/{model}"), "kdsl.yaml")


def _manifest_schema() -> dict[str, Any]:
    from kdsl_cli.runs.manifest import Manifest

    made = Manifest.model_json_schema(ref_template="#/definitions/{model}", mode="serialization")
    return _draft_7(made, "The manifest of a stage")


def _draft_7(schema: dict[str, Any], title: str) -> dict[str, Any]:
    """Return a schema of pydantic in the draft that editors know."""
    from kdsl_cli.logic.rule_schema import DRAFT

    definitions = schema.pop("$defs", {})
    for part in (schema, *definitions.values()):
        if "description" in part:  # a docstring: its first sentence is for everybody
            part["description"] = part["description"].partition("\n\n")[0]
    return {"$schema": DRAFT, **schema, "title": title, "definitions": definitions}


def _tell_editors() -> list[str]:
    """Write the schemas of a workspace, and the line that names them into its files."""
    from kdsl_cli.commands.workspace.layout import current_workspace
    from kdsl_cli.commands.workspace.modelines import (
        modeline,
        schema_path,
        with_modeline,
        write_rule_schema,
        write_schema,
    )
    from kdsl_cli.commands.workspace.settings_sources import current_settings
    from kdsl_cli.dialogues.json_schemas import catalogue_schema
    from kdsl_cli.runs.atomic import write_text

    space = current_workspace()
    lines: dict[Path, str] = {}
    for task in _catalogue().tasks:
        file = space.rules(task.name)
        lines[file] = write_rule_schema(space, task.name, task.names, file)
    plain = {"config": (space.config, _config_schema())}
    if not _learnt_from_catalogue(space):  # to write into it would undo what was learnt from it
        plain["intents"] = (space.path(current_settings().data.catalogue), catalogue_schema())
    for name, (file, schema) in plain.items():
        write_schema(schema_path(space, name), schema)
        lines[file] = modeline(file, schema_path(space, name))
    for file, line in lines.items():
        if file.is_file():
            write_text(file, with_modeline(file.read_text(encoding="utf-8-sig"), line))
    return _written(space, lines)


def _learnt_from_catalogue(space: Workspace) -> bool:
    from kdsl_cli.runs.manifest import read_manifest

    return any(read_manifest(folder) is not None for folder in (space.mine_out, space.large_out))


def _written(space: Workspace, lines: dict[Path, str]) -> list[str]:
    schemas = sorted((space.root / ".schema").glob("*.json"))
    return [str(path) for path in (*schemas, *(file for file in lines if file.is_file()))]
