"""What ``kdsl mine-rules`` says when it is done, or finds itself up to date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.mine.proposing import told
from kdsl_cli.commands.workspace.layout import Workspace


def report(space: Workspace) -> None:
    """Print what was found in each task, by the files and the manifest of the stage."""
    from kdsl_cli.mining.campaign import WHOLE
    from kdsl_cli.mining.table import read_findings
    from kdsl_cli.runs.manifest import read_manifest

    manifest = read_manifest(space.mine_out)
    assert manifest is not None  # the stage succeeded, or was found to have
    for text in manifest.warnings:
        current_output().warn(text)
    findings = read_findings(space.candidates, space.mined_sample)
    noise: Mapping[str, Mapping[str, Any]] = manifest.extra.get("noise", {})
    lines, data = [], []
    for one in findings:
        found = [rule for rule in one.runs[WHOLE] if not rule.seed]
        seeds = len(one.runs[WHOLE]) - len(found)
        lines.append(
            f"{one.task}: {len(found)} rules found for {len({rule.intent for rule in found})} of "
            f"{len(one.sample.intents)} intents in {len(one.ids)} dialogues, {seeds} seed rules beside them"
        )
        level = noise.get(one.task, {})
        lines += [f"  {_noise(level)}", *told(manifest.extra, one.task)]
        of_model = {name: manifest.extra.get(name, {}).get(one.task) for name in ("proposals", "calls")}
        data.append({"task": one.task, "found": len(found), "seeds": seeds, "noise": level, **of_model})
    current_output().result("\n".join(lines), data, [str(space.candidates)])


def _noise(level: Mapping[str, Any]) -> str:
    threshold, best = level["threshold"], level["best_by_chance"]
    return (
        f"kept from a worth of {threshold:.2f}: there, shuffled labels yield {level['by_chance']:.1f} rules "
        f"an intent and the real ones {level['real']:.1f}; the best by chance reached {best:.2f}"
    )
