"""``kdsl export-model``: the tuned model as other programs take it, merged or as an adapter."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from kdsl_cli.errors import CheckFailed, ConfigError

if TYPE_CHECKING:
    from kdsl_cli.backends.agreement import Pair
    from kdsl_cli.backends.local.finding import Source
    from kdsl_cli.commands.models.models_here import ModelsHere
    from kdsl_cli.commands.models.specimens import Specimens
    from kdsl_cli.commands.models.tuned import Tuned


TOLERANCE: Final = 0.5
"""Nats that rounding to bfloat16 may move a log-likelihood by; a row that moves further does not agree."""


def command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.", show_default=False)],
    adapter_only: Annotated[
        bool, typer.Option("--adapter-only", help="The adapter alone, as vLLM serves it beside its base.")
    ] = False,
    rows: Annotated[
        int, typer.Option("--rows", "-n", min=1, help="Dialogues on which merged and unmerged are compared.")
    ] = 20,
    split: Annotated[Literal["train", "val"], typer.Option(help="Whose dialogues.")] = "train",
    min_agreement: Annotated[
        float, typer.Option(min=0, max=1, help="Write nothing if a smaller share of the rows agrees.")
    ] = 0.95,
    through: Annotated[
        str | None, typer.Option(help="local:PATH where the base is now.", show_default=False)
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="As torch names it; the best there is by default.", show_default=False)
    ] = None,
) -> None:
    """Write the tuned model for other programs: merged into its base in bfloat16, or as an adapter."""
    from kdsl_cli.commands.models.models_here import ModelsHere
    from kdsl_cli.commands.models.tuned import the_tuned

    here = ModelsHere.current()
    tuned = the_tuned(here.space.large_out)
    _refuse_others(tuned)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError("is there already", where=str(out), fix="Give the name of a new folder")
    base = through or tuned.record.base
    if adapter_only:
        _adapter(tuned, base, out, here)
    else:
        _merged(tuned, base, out, here, here.specimens(split, rows), min_agreement, device)


def _refuse_others(tuned: Tuned) -> None:
    """Do nothing if low-rank additions are what was learnt: nothing else is merged or served.

    Raises
    ------
    ConfigError
        Saying what was learnt.
    """
    from kdsl_cli.training.lora.answers.record import ADAPTER

    kind, where = tuned.record.kind, str(tuned.folder)
    if kind == "full":
        what = f"all weights were learnt: {tuned.folder / ADAPTER} is a checkpoint already"
        raise ConfigError(what, where=where, fix="Copy that folder")
    if kind != "lora":
        what = {"head": "a classification head", "prompt": "a learnt prompt"}[kind]
        what = f"the tuned model has {what}, which no server knows"
        raise ConfigError(what, where=where, fix="Train with train.method: lora")


def _adapter(tuned: Tuned, base: str, out: Path, here: ModelsHere) -> None:
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.training.lora.answers.record import ADAPTER
    from kdsl_cli.training.lora.leaving.serving import write_adapter

    name = _local(base, here).path
    known_as = Path(name).resolve().name if Path(name).is_dir() else name
    layout = write_adapter(tuned.folder / ADAPTER, out, known_as)
    serve = (
        f"vllm serve {name} --enable-lora --max-lora-rank {layout.max_rank} --lora-modules tuned={out}\n"
        "kdsl predict --through http:http://localhost:8000/v1#tuned"
    )
    what = f"additions of rank {layout.rank} to {len(layout.modules)} layers of the language model"
    data = {
        "path": str(out),
        "base": known_as,
        "rank": layout.rank,
        "modules": list(layout.modules),
        "serve": serve.splitlines(),
    }
    current_output().result(f"{out}: {what}\n{serve}", data, str(out))


def _merged(
    tuned: Tuned,
    base: str,
    out: Path,
    here: ModelsHere,
    asked: Sequence[Specimens],
    min_agreement: float,
    device: str | None,
) -> None:
    from kdsl_cli.backends.local.finding import find
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.models.tuned import as_trained
    from kdsl_cli.errors import StageError

    spec = as_trained(_local(base, here), tuned)
    source = find(spec.path, spec.revision)
    if source.revision != tuned.record.revision:
        what = f"its contents are {source.revision}, the adapter was trained on {tuned.record.revision}"
        raise StageError(what, where=base, fix="Name the base it was trained on: --through local:PATH")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as name:
        made = Path(name) / out.name
        found = _checked(tuned, source, made, asked, here.settings.large.batch, device)
        agreed = sum(map(_agrees, found))
        if agreed < min_agreement * len(found):
            raise CheckFailed(
                f"merged and unmerged agree on {agreed} of {len(found)} rows: nothing was written",
                where=str(out),
                allowed=f"a share of {min_agreement:g} (--min-agreement)",
                fix="Serve base and adapter side by side: kdsl export-model OUT --adapter-only",
            )
        told = _told(tuned, source, found)
        (made / "kdsl_export.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
        made.replace(out)
    human = (
        f"{out}: {source.name} with the adapter merged, in bfloat16; merged and unmerged agree on {agreed} "
        f"of {len(found)} rows, log-likelihoods differ by {told['largest']:.2g} nats at most\n"
        f"vllm serve {out} --served-model-name tuned\n"
        "kdsl predict --through http:http://localhost:8000/v1#tuned"
    )
    current_output().result(human, {"path": str(out), **told}, str(out))


def _checked(
    tuned: Tuned, source: Source, made: Path, asked: Sequence[Specimens], batch: int, device: str | None
) -> list[Pair]:
    """Merge into `made`, and return what either model answers: first the adapter beside the base."""
    from kdsl_cli.backends.local.finding import Source
    from kdsl_cli.commands.console import current_output
    from kdsl_cli.commands.models.specimens import answers, compared
    from kdsl_cli.training.lora.answers.record import ADAPTER
    from kdsl_cli.training.lora.leaving import merging

    record, count = tuned.record, sum(len(one.ids) for one in asked)
    with current_output().progress("Merging", 2 * count, "answers") as bar:
        joined = merging.join(source, tuned.folder / ADAPTER, device)
        unmerged = answers(merging.asked(joined.loaded, "unmerged", record, batch), asked, bar.advance)
        merging.write(joined, made, record)
        del joined
        merging.release()
        whole = merging.load(Source(made, made.name, "merged"), device)
        merged = answers(merging.asked(whole, "merged", record, batch), asked, bar.advance)
    return compared(asked, unmerged, merged)


def _agrees(pair: Pair) -> bool:
    return pair.agree and pair.apart is not None and pair.apart <= TOLERANCE


def _told(tuned: Tuned, source: Source, found: list[Pair]) -> dict[str, Any]:
    """Return what the merged checkpoint is made of, and how it compares."""
    return {
        "schema": "kdsl.export/1",
        "base": source.name,
        "revision": source.revision,
        "adapter": tuned.record.adapter,
        "dtype": "bfloat16",
        "trained_beside": tuned.record.quant,
        "rows": len(found),
        "agreeing": sum(map(_agrees, found)),
        "largest": max((pair.apart or 0.0 for pair in found), default=0.0),
    }


def _local(base: str, here: ModelsHere) -> Any:
    from kdsl_cli.backends.spec import LocalSpec, parse_spec

    spec = parse_spec(base, here.space.root)
    if not isinstance(spec, LocalSpec):
        raise ConfigError("is not on this machine", where=base, allowed="local:PATH_OR_ID[@REVISION]")
    return spec
