"""``kdsl data``: bring dialogues in, check them, part them, count them, give them to other programs."""

from __future__ import annotations

import typer

from kdsl_cli.commands.intake import bringing, checking, counting, giving, parting

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Import, check, split, count and export dialogues."
)
app.command("import")(bringing.command)
app.command("check")(checking.command)
app.command("split")(parting.command)
app.command("stats")(counting.command)
app.command("export")(giving.command)
