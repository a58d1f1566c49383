"""``kdsl tiny-model``: a model of random weights, to try the small model's path without a download."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make; must not be there yet.")],
    seed: Annotated[int, typer.Option(help="Of the random weights.")] = 0,
) -> None:
    """Make a tiny Qwen2-VL checkpoint with random weights: it runs everywhere, and knows nothing."""
    from kdsl_cli.backends.local import tiny
    from kdsl_cli.commands.console import current_output

    output = current_output()
    with output.progress("Making a tiny model"):
        tiny.build(out, shop_texts(), seed=seed)
    size = sum(file.stat().st_size for file in out.iterdir())
    human = f"Wrote {out} ({size / 1e6:.1f} MB). Its answers are random. As a model it is called local:{out}"
    output.result(human, {"folder": str(out), "spec": f"local:{out}", "bytes": size}, str(out))


def shop_texts() -> list[str]:
    """Return what the tokenizer learns its words from: catalogue and dialogues of the shop that ships."""
    from kdsl_cli.commands.workspace.shipped import shipped

    return [(shipped("data/shop") / name).read_text("utf-8") for name in ("intents.yaml", "dialogues.jsonl")]
