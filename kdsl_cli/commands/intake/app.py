"""``kdsl data``: bring dialogues in, check them, part them, count them, give them to other programs."""

from __future__ import annotations

import typer

from kdsl_cli.commands.intake import bringing, checking, counting, giving, parting

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Import, check, split, count and export dialogues."
)
app.command("import")(bringing.command)
app.command("check", short_help="Name every bad row by file, line and id.")(checking.command)
app.command("split")(parting.command)
app.command("stats")(counting.command)
app.command("export", short_help="Write the dialogues for other programs to train on.")(giving.command)
