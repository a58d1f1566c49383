"""``kdsl init``: a workspace with every option in sight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

_CONFIG_HEAD = """\
# Settings of this workspace. Every option stands here with its default: change it or delete its line.
# An option on the command line wins over the environment (KDSL_MINE_SEED=1), which wins over this file.
"""

_CATALOGUE_HEAD = """\
# The catalogue: the tasks, and for each the closed set of its intents. Their order is the column order of
# every table. A name is what stands as "label" in the data. The description and the synonyms are optional,
# but worth writing: they tell the search for rules which words to try first.
tasks:
"""

_CATALOGUE_TASK = """\
- name: {name}
  intents:
  - name: "example intent 1"              # replace both examples by the labels of your data
    description: "What the customer wants, in one line"
    synonyms: ["how customers say it", "another way to say it"]
  - name: "example intent 2"
    description: "What another customer wants"
    synonyms: []
"""

_README = """\
# A KDSL workspace

| where | what |
|---|---|
| kdsl.yaml | every option, with its default |
| intents.yaml | the tasks and their intents: **write these first** |
| data/ | dialogues.jsonl, its pictures, and the splits |
| rules/ | one file of rules a task, yours to read, edit and veto |
| runs/ | what the stages leave; all of it can be made again |

## Next steps

1. Name your tasks and intents in intents.yaml.
2. Bring the dialogues in: `kdsl data import FILE` (JSONL, CSV, Parquet, chat formats), or write
   data/dialogues.jsonl yourself, one object a line:

   {"id": "1", "task": TASK, "turns": [{"role": "customer", "text": "...", "images": []}], "label": INTENT}

3. `kdsl data check`, then `kdsl data split`.
4. `kdsl run` does the rest: it reads the pictures, mines, prunes and exports rules, trains, predicts on the
   test split and scores it. Stopped half-way, the same command goes on from there.
5. Read rules/*.yaml. An edited file is used as edited: `kdsl rules lint` checks it, `kdsl rules diff`
   says what an edit changes.

`kdsl doctor` says what is missing. `kdsl schema --editor` lets an editor complete and check the YAML files.
"""


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where; made when missing.")] = Path(),
    tasks: Annotated[
        str, typer.Option(help="Names of the tasks, with commas between.")
    ] = "image-scene,dialogue-intent",
    force: Annotated[bool, typer.Option("--force", help="Replace kdsl.yaml and intents.yaml.")] = False,
) -> None:
    """Make a workspace: settings, a catalogue to fill in, folders for data and rules."""
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.errors import ConfigError, Problem
    from kdsl_cli.runs.atomic import write_text

    contents = {
        folder / "kdsl.yaml": config_text(),
        folder / "intents.yaml": catalogue_text(task_names(tasks)),
    }
    there = [path for path in contents if path.exists()]
    if there and not force:
        fix = "Nothing was written. Give another folder, or add --force to replace kdsl.yaml and intents.yaml"
        raise ConfigError([Problem(str(path), "is there already", fix=fix) for path in there])
    readme = folder / "README.md"
    if not readme.exists():  # else it may be that of a project of one's own
        contents[readme] = _README
    for path, text in contents.items():
        write_text(path, text)
    for name in ("data", "rules"):
        (folder / name).mkdir(exist_ok=True)
    made = [str(path) for path in contents]
    listed = "\n".join(f"  {path}" for path in made)
    human = (
        f"Wrote\n{listed}\nNext: name your intents in {folder / 'intents.yaml'}, then: kdsl data import FILE"
    )
    current_output().result(human, {"workspace": str(folder), "files": made}, str(folder))


def config_text() -> str:
    """Return a `kdsl.yaml` with every option at its default and its sentence above it."""
    from kdsl_cli.commands.workspace.settings import Settings, descriptions, options

    lines = [_CONFIG_HEAD]
    for section, fields in options().items():
        sentences = descriptions(section)
        lines.append(f"{section}:  # {Settings.model_fields[section].description}")
        for name, default in fields.items():
            lines.append(f"  # {sentences[name]}")
            lines.append(f"  {name}: {json.dumps(default, ensure_ascii=False)}")
        lines.append("")
    return "\n".join(lines)


def catalogue_text(names: list[str]) -> str:
    """Return an `intents.yaml` to fill in."""
    tasks = [_CATALOGUE_TASK.format(name=json.dumps(name, ensure_ascii=False)) for name in names]
    return _CATALOGUE_HEAD + "".join(tasks)


def task_names(text: str) -> list[str]:
    """Return the names of a comma-separated list.

    Raises
    ------
    ConfigError
        If one is empty, stands twice, or cannot be the name of a rule file.

    Examples
    --------
    >>> task_names("image-scene, dialogue-intent")
    ['image-scene', 'dialogue-intent']
    """
    from kdsl_cli.errors import ConfigError, Problem

    names = [name.strip() for name in text.split(",")]
    problems: list[Problem] = []
    for index, name in enumerate(names):
        if not name or name.startswith(".") or "/" in name or "\\" in name or not name.isprintable():
            problems.append(Problem("--tasks", f"'{name}' cannot name a task and its rule file"))
        elif name in names[:index]:
            problems.append(Problem("--tasks", f"'{name}' stands twice"))
    if problems:
        raise ConfigError(problems)
    return names
