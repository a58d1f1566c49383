"""``kdsl rules``: read, check, try, compare and write rules."""

from __future__ import annotations

import typer

from kdsl_cli.commands.desk import apply, diff, explain, lint, new, replay, stats, watch

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Check, try, compare and write rules.")
app.command("lint", short_help="Say what is amiss in rules: line, code and remedy.")(lint.command)
app.command("test", short_help="Play the examples beside the rules again.")(replay.command)
app.command("stats", short_help="Count what each rule does, and how it gets on with others.")(stats.command)
app.command("diff", short_help="Name the dialogues that change their answer.")(diff.command)
app.command("apply", short_help="Let rules decide alone, on any file of dialogues.")(apply.command)
app.command("explain", short_help="Show one rule at work, beside its nearest competitors.")(explain.command)
app.command("new", short_help="Write a draft of a rule into its file, and try it.")(new.command)
app.command("watch", short_help="Score rules anew at every save.")(watch.command)
