"""How large the page of 10,000 dialogues is, and how long a browser takes to show the first card of it.

    pip install -e '.[report,browser]' && apt-get install chromium
    python benchmarks/report_scale.py

The dialogues are made up: 46 intents, seven in ten a screenshot with thirty lines of text, the others a chat
of four turns; six of 552 rules fire on each. Pictures are those of the shop that ships, each under as many
names as it takes. Times in the browser start at the address and end when the row, or the card with its
picture, can be seen; the card opened is the last one of the list, after a filter by its id.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact
from kdsl_cli.logic.predicates import OcrPredicate, TextPredicate
from kdsl_cli.logic.rule import Rule, RuleBase
from kdsl_cli.prediction.table import Prediction, prediction_table
from kdsl_cli.reporting.page.material import Material
from kdsl_cli.reporting.page.page import page
from kdsl_cli.reporting.page.pictures import SHOWS, picture_sources
from kdsl_cli.reporting.tables import evaluate
from kdsl_cli.runs.atomic import write_json, write_text

INTENTS = {"image-scene": 23, "dialogue-intent": 23}
RULES_EACH = 12
FIRED = 6
LINES = 30
LETTERS = [chr(0x4E00 + number) for number in range(1500)]


@dataclass(frozen=True, slots=True)
class Shown:
    """What one page took: medians over the runs in the browser, and how busy the machine was by then."""

    pictures: str
    megabytes: float
    seconds_to_write: float
    seconds_to_first_row: float
    seconds_to_a_card: float
    load: float


def material(n: int, pictures: Sequence[Path], rng: random.Random) -> Material:
    """Return made-up dialogues with everything that a page shows of them."""
    names = {task: tuple(f"{task}-{number}" for number in range(k)) for task, k in INTENTS.items()}
    phrases = {
        (task, intent): ["".join(rng.choices(LETTERS, k=4)) for _ in range(RULES_EACH)]
        for task, intents in names.items()
        for intent in intents
    }
    bases = {task: RuleBase(task, tuple(_rules(task, intents, phrases))) for task, intents in names.items()}
    dialogues, facts, rows = {}, {}, []
    for number in range(n):
        task = "image-scene" if number % 10 < 7 else "dialogue-intent"
        label, said = rng.choice(names[task]), rng.choice(names[task])
        said = label if rng.random() < 0.8 else said
        places = rng.sample(range(RULES_EACH), FIRED)
        fired = [phrases[task, said if place % 3 else label][place] for place in places]
        id = f"dialogue-{number:05}"
        picture = f"{id}{pictures[number % len(pictures)].suffix}" if task == "image-scene" else None
        dialogues[id], facts[id] = _told(id, task, label, fired, picture, rng)
        ids = tuple(f"{said if place % 3 else label}-{place}" for place in places)
        rows.append(_decided(id, task, label, said, ids, names[task], rng))
    table = prediction_table(rows, names)
    tables = evaluate(table, bases.values(), seed=0, resamples=200)
    return Material("scale", "test", table, tables, bases=bases, dialogues=dialogues, facts=facts)


def _rules(task: str, intents: Sequence[str], phrases: dict[tuple[str, str], list[str]]) -> list[Rule]:
    return [
        Rule(f"{intent}-{place}", intent, _when(task, phrase), why=f"A made-up rule for {intent}.")
        for intent in intents
        for place, phrase in enumerate(phrases[task, intent])
    ]


def _when(task: str, phrase: str) -> OcrPredicate | TextPredicate:
    if task == "image-scene":
        return OcrPredicate("contains", (phrase,))
    return TextPredicate("customer", "contains", (phrase,))


def _told(
    id: str, task: str, label: str, fired: Sequence[str], picture: str | None, rng: random.Random
) -> tuple[Dialogue, Facts]:
    def filler(k: int) -> str:
        return "".join(rng.choices(LETTERS, k=k))

    if picture is not None:
        texts = [*fired, *(filler(rng.randint(2, 14)) for _ in range(LINES - len(fired)))]
        rng.shuffle(texts)
        lines = tuple(
            OcrLine(0, seq, text, 0.98, (0.1, seq / LINES, 0.8, (seq + 0.8) / LINES))
            for seq, text in enumerate(texts)
        )
        turns = (Turn("customer", "<image>", (picture,)),)
        seen = Facts(id, (TurnFact(0, "customer", ""),), lines, (ImageFact(0, "screenshot"),))
        return Dialogue(id, task, turns, label=label), seen
    said = [filler(9) + phrase + filler(9) for phrase in fired[:3]] + [filler(8) + "".join(fired[3:])]
    turns = tuple(Turn("customer", text) for seq, text in enumerate(said))
    seen = Facts(id, tuple(TurnFact(seq, turn.role, turn.text) for seq, turn in enumerate(turns)))
    return Dialogue(id, task, turns, label=label), seen


def _decided(
    id: str,
    task: str,
    label: str,
    said: str,
    fired: tuple[str, ...],
    names: Sequence[str],
    rng: random.Random,
) -> Prediction:
    draws = np.random.default_rng(rng.getrandbits(32)).dirichlet([0.2] * len(names), size=3)
    scores = [tuple(map(float, draw)) for draw in draws]
    large = label if rng.random() < 0.75 else rng.choice(list(names))
    return Prediction(
        id, task, "test", None, label, said, scores[0], fired, "log-odds",
        rules_prediction=said, rules_scores=scores[1], large_prediction=large, large_scores=scores[2],
        decided_by="both",
    )  # fmt: skip


def measure(made: Material, show: Any, folder: Path, runs: int) -> Shown:
    """Write the page once and open it `runs` times."""
    path = folder / f"report-{show}.html"
    names = [name for dialogue in made.dialogues.values() for name in dialogue.images]
    started = time.perf_counter()
    sources = picture_sources(names, folder / "pictures", show=show, page=path)
    write_text(path, page(made, sources, linked_pictures=show == "linked"))
    written = time.perf_counter() - started
    last = made.predictions.frame["id"][-4]  # a screenshot
    opened = [_opened(path, last, picture=show != "none") for _ in range(runs)]
    rows, cards = (sorted(times)[runs // 2] for times in zip(*opened, strict=True))
    return Shown(show, path.stat().st_size / 1e6, written, rows, cards, os.getloadavg()[0])


def _opened(path: Path, id: str, *, picture: bool) -> tuple[float, float]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        view = browser.new_page()
        view.set_default_timeout(180_000)
        started = time.perf_counter()
        view.goto(path.as_uri(), wait_until="commit")
        view.wait_for_selector("#dialogues li")
        row = time.perf_counter() - started
        view.fill("#f-text", id)
        view.click(f"#dialogues li:only-child summary:has-text('{id}')")
        view.wait_for_selector(".told")
        if picture:
            view.locator(".frame img").evaluate("picture => picture.decode()")
        card = time.perf_counter() - started
        browser.close()
    return row, card


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dialogues", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3, help="times each page is opened")
    parser.add_argument("--pictures", type=Path, default=Path("data/shop/images"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/report_scale.json"))
    asked = parser.parse_args()
    files = sorted(asked.pictures.iterdir())
    made = material(asked.dialogues, files, random.Random(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pictures").mkdir()
        for number, picture in enumerate(each for one in made.dialogues.values() for each in one.images):
            (folder / "pictures" / picture).symlink_to(files[number % len(files)].resolve())
        rows = [measure(made, show, folder, asked.runs) for show in SHOWS]
    print("pictures       MB  s to write  s to the first row  s to a card of the last  load")
    for row in rows:
        print(
            f"{row.pictures:10}  {row.megabytes:5.1f}  {row.seconds_to_write:10.1f}"
            f"  {row.seconds_to_first_row:18.2f}  {row.seconds_to_a_card:23.2f}  {row.load:4.1f}"
        )
    write_json(asked.out, {"dialogues": asked.dialogues, "rows": [asdict(row) for row in rows]})


if __name__ == "__main__":
    main()
