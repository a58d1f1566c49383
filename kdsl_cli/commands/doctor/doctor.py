"""``kdsl doctor``: whether the installation works, and whether models answer as they should."""

from __future__ import annotations

import typer

from kdsl_cli.commands.doctor.models import invariance, parity

app = typer.Typer(invoke_without_command=True, add_completion=False)
app.command()(invariance)
app.command()(parity)


@app.callback()
def doctor(context: typer.Context) -> None:
    """Check the installation and the workspace; exit code 1 if a check fails."""
    if context.invoked_subcommand is None:
        _check()


def _check() -> None:
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.doctor.checks import all_checks

    output = current_output()
    checks = list(all_checks())
    rows = [
        {"name": check.name, "outcome": check.outcome, "reason": check.reason, "fix": check.fix}
        for check in checks
    ]
    lines = []
    for check in checks:
        lines.append(f"{check.outcome}  {check.name}: {check.reason}")
        if check.fix and check.outcome != "pass":
            lines.append(f"      {check.fix}")
    failed = [check.name for check in checks if check.outcome == "fail"]
    skipped = sum(check.outcome == "skip" for check in checks)
    lines.append(f"{len(checks) - len(failed) - skipped} passed, {len(failed)} failed, {skipped} skipped")
    output.result("\n".join(lines), rows, failed)
    if failed:
        raise typer.Exit(1)
