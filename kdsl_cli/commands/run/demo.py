"""``kdsl demo``: the whole chain on the generated shop that ships."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kdsl_cli.commands.workspace.layout import Workspace

MARK = "# The KDSL demo"
"""First line of the README of every demo: only a folder that has it is written to again."""

_README = f"""\
{MARK}

A workspace that `kdsl demo` made, with the dialogues and screens of a generated shop. Change what you like:
`kdsl run` here, or the same `kdsl demo` again, does what your change makes necessary and nothing else.

| where | what |
|---|---|
| kdsl.yaml | every option, with its default |
| intents.yaml | the two tasks and their 26 intents |
| data/ | the dialogues, their pictures, the splits, and data/new.jsonl to try things with |
| rules/ | the rules that were found: read, edit, veto |
| runs/eval/test/report.html | how good it is, where it fails, and why: open it in a browser |
| runs/eval/test/ | the tables behind the score |
"""

_NEW = """\
{"id": "new-1", "task": "shop-request", "turns": [{"role": "customer", "text": "你好，我想换货，尺码太小了"}]}
{"id": "new-2", "task": "shop-request", "turns": [{"role": "customer", "text": "I need an invoice, please"}]}
"""

_SPLIT: Final = "test"


def command(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where; made when missing.")] = Path(
        "kdsl-demo"
    ),
) -> None:
    """Try everything on a generated shop: make a workspace, do every stage, print the score."""
    from rich.console import Group

    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.run.run import check, report, run_chain
    from kdsl_cli.commands.workspace.layout import CONFIG_NAME, current_workspace, set_config_file
    from kdsl_cli.commands.workspace.settings_sources import current_settings

    fill(folder)
    set_config_file(folder / CONFIG_NAME)
    settings, space = current_settings(), current_workspace()
    tables = run_chain(settings, _SPLIT)
    human = Group(report(space, _SPLIT, tables), "", _next_steps(space))
    current_output().result(human, tables.overall.to_dicts(), str(folder))
    check(tables, max_failed=0.05)


def fill(folder: Path) -> None:
    """Make `folder` a workspace of the shop; in a demo, put back only what is missing.

    Raises
    ------
    ConfigError
        If the folder holds something that is no demo.
    """
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.workspace.init import config_text
    from kdsl_cli.commands.workspace.shipped import shipped
    from kdsl_cli.runs.atomic import write_bytes

    _check_ours(folder)
    shop = shipped("data/shop")
    texts = {
        "README.md": _README,  # first: from then on the folder is known as a demo
        "kdsl.yaml": config_text(),
        "data/new.jsonl": _NEW,
    }
    files = {
        "intents.yaml": shop / "intents.yaml",
        **{f"data/images/{path.name}": path for path in sorted((shop / "images").iterdir())},
        "data/dialogues.jsonl": shop / "dialogues.jsonl",
    }
    missing = [name for name in (*texts, *files) if not (folder / name).exists()]
    for name in missing:
        write_bytes(folder / name, texts[name].encode() if name in texts else files[name].read_bytes())
    if missing:
        current_output().note(f"{folder}: wrote {len(missing)} files of a workspace")


def _check_ours(folder: Path) -> None:
    from kdsl_cli.errors import ConfigError

    fix = "Nothing was written. Give another folder: kdsl demo DIR"
    if folder.exists() and not folder.is_dir():
        raise ConfigError("is a file", where=str(folder), fix=fix)
    readme = folder / "README.md"
    if readme.is_file() and readme.read_text(encoding="utf-8", errors="replace").startswith(MARK):
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise ConfigError("holds something that 'kdsl demo' did not make", where=str(folder), fix=fix)


def _next_steps(space: Workspace) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    try_it = f"cd {space.root} && kdsl predict --input data/new.jsonl --out runs/new"
    table = Table("look at next", "", box=None, pad_edge=False, show_header=False)
    for where, what in (
        (
            str(space.rules("shop-request")),
            'the rules: edit one, veto one with status: "disabled", then kdsl run',
        ),
        (str(space.report(_SPLIT)), "the score, the failures and every decision, in a browser"),
        (try_it, "dialogues of your own"),
    ):
        table.add_row(Text(where), Text(what))
    return table
