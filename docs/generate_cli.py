"""Write docs/cli.md from the program itself; with ``--check``, fail if the file is stale.

python docs/generate_cli.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kdsl_cli.commands import app as program
from kdsl_cli.runs.atomic import write_text

TARGET = Path(__file__).with_name("cli.md")

WIDTH = {"terminal_width": 110, "max_content_width": 110}

HEAD = """\
# The command line

*Written by `python docs/generate_cli.py` from the program; do not edit.*

The result of a verb goes to stdout, everything else to stderr. Global options may stand before or after
the verb. Options that a verb leaves open come from the environment (`KDSL_MINE_SEED=1`), then from
`kdsl.yaml`, then from the defaults that `kdsl init` writes down. `NO_COLOR=1` turns colours off.

"""


def page() -> str:
    """Return the whole of docs/cli.md."""
    root: Any = typer.main.get_command(program.app)
    codes = [line for line in (program.__doc__ or "").splitlines() if line.startswith("|")]
    return "\n".join([HEAD, *codes, "", *_section(root, "kdsl", None)]).rstrip() + "\n"


def _section(command: Any, name: str, above: Any) -> Iterator[str]:
    with command.make_context(name, [], parent=above, resilient_parsing=True, **WIDTH) as context:
        yield f"{'#' * (2 if above is None else 3)} {context.command_path}\n"
        yield f"```text\n{command.get_help(context)}\n```\n"
        for below in command.list_commands(context) if hasattr(command, "list_commands") else ():
            yield from _section(command.get_command(context, below), below, context)


def main() -> int:
    """Write the page, or say whether it is as the program has it."""
    text = page()
    if "--check" not in sys.argv[1:]:
        write_text(TARGET, text)
        return 0
    if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write("docs/cli.md is stale. Run: python docs/generate_cli.py\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
