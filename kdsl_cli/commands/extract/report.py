"""What ``kdsl extract`` says when it is done, or finds itself up to date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kdsl_cli.commands.console import current_output
from kdsl_cli.commands.workspace.layout import Workspace
from kdsl_cli.errors import CheckFailed

if TYPE_CHECKING:
    from kdsl_cli.runs.manifest import Manifest

_SHOWN = 10  # failed pictures named on the screen; all of them are in the result as JSON


def report(
    space: Workspace, dialogues: Mapping[str, int], answered: Manifest | None, max_failed: float
) -> None:
    """Print what the manifests say: the same for a run just done and for one that is up to date.

    Parameters
    ----------
    dialogues
        How many each split has.
    answered
        Manifest of the answers to what rules ask; None: nothing was asked.
    max_failed
        Largest share of failed pictures, or answers, that is no failed check.

    Raises
    ------
    CheckFailed
        If a larger share failed.
    """
    from kdsl_cli.commands.extract.answering import answer_lines
    from kdsl_cli.runs.manifest import read_manifest

    seen = read_manifest(space.evidence_out)
    assert seen is not None  # `run` wrote it, or `up_to_date` read it
    failed = dict(sorted(seen.extra.get("failed", {}).items()))
    files = [str(space.evidence(name)) for name in dialogues]
    lines = [
        f"{sum(dialogues.values())} dialogues ({', '.join(f'{name} {n}' for name, n in dialogues.items())})",
        f"{seen.counts.total} pictures: {seen.counts.ok} read ({seen.counts.cached} known before), "
        f"{seen.counts.failed} failed",
        *(f"  failed: {path}: {reason}" for path, reason in list(failed.items())[:_SHOWN]),
    ]
    if len(failed) > _SHOWN:
        lines.append(f"  and {len(failed) - _SHOWN} more: {space.evidence_out / 'manifest.json'}")
    data = {
        "dialogues": dict(dialogues),
        "pictures": seen.counts.model_dump(by_alias=True),
        "failed": failed,
        "files": files,
    }
    if answered is not None:
        lines += answer_lines(answered, space)
        counts = answered.counts.model_dump(by_alias=True, include={"total", "ok", "failed"})
        data["answers"] = {**counts, **answered.extra, "questions": answered.config["questions"]}
        files += [str(space.answers(name)) for name in answered.config["splits"]]
    current_output().result("\n".join(lines), data, files)
    fix = "Mend the files (or give --retry-failed if they were only too slow), or raise --max-failed"
    _check(space.evidence_out, seen, "pictures", failed.values(), max_failed, fix)
    if answered is not None:
        fix = "Give --retry-failed if the model was only busy, or raise --max-failed"
        reasons = [reason for _, _, reason in answered.extra["failures"]]
        _check(space.answers_out, answered, "answers", reasons, max_failed, fix)


def _check(out: Path, made: Manifest, what: str, reasons: Iterable[str], max_failed: float, fix: str) -> None:
    failed, total = made.counts.failed, made.counts.total
    share = failed / total if total else 0.0
    if share > max_failed:
        (most, _), *_ = Counter(reasons).most_common(1)
        told = f"{failed} of {total} {what} failed: {share:.1%}, allowed are {max_failed:.1%}"
        raise CheckFailed(f"{told}, for reasons such as: {most}", where=str(out), fix=fix)
