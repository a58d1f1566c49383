"""A run to be killed: reads the pictures of a folder into its store, then writes the facts."""

from __future__ import annotations

import sys
from pathlib import Path

from evidence.tasks import ENGINE, make_see
from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.evidence.extract import facts_of, find_pictures, keys_of, read_into, seen_in, to_read
from kdsl_cli.evidence.store import Store
from kdsl_cli.evidence.table import write_facts


def extract(folder: Path) -> int:
    """Return how many pictures had to be read."""
    names = sorted(path.name for path in folder.glob("*.png"))
    dialogues = [Dialogue(name, "t", (Turn("customer", "<image>", (name,)),)) for name in names]
    pictures = find_pictures(dialogues, folder)
    with Store(folder / "observations.jsonl") as store:
        todo = to_read(pictures, store, ENGINE)
        read_into(store, todo, make_see, workers=2)
        seen = seen_in(pictures, store, ENGINE)
    facts = [facts_of(dialogue, folder, seen) for dialogue in dialogues]
    write_facts(folder / "train.parquet", facts, keys_of(dialogues, folder, seen))
    return len(todo)


if __name__ == "__main__":
    extract(Path(sys.argv[1]))
