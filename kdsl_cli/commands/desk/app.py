"""``kdsl rules``: read, check, try, compare and write rules."""

from __future__ import annotations

import typer

from kdsl_cli.commands.desk import apply, diff, explain, lint, new, replay, stats, watch

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Check, try, compare and write rules.")
app.command("lint")(lint.command)
app.command("test")(replay.command)
app.command("stats")(stats.command)
app.command("diff")(diff.command)
app.command("apply")(apply.command)
app.command("explain")(explain.command)
app.command("new")(new.command)
app.command("watch")(watch.command)
