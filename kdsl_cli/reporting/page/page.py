"""The page of an evaluation, put together from what its material holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from kdsl_cli import __version__
from kdsl_cli.logic.describing import describe
from kdsl_cli.reporting.page import charts, curves
from kdsl_cli.reporting.page.cards import cards, rows, searchable
from kdsl_cli.reporting.page.embedding import in_parts, packed
from kdsl_cli.reporting.page.headline import NAMES, deciders, left_aside, scores, trust, worst_confusions
from kdsl_cli.reporting.page.material import Material, listing
from kdsl_cli.reporting.page.matrix import confusion_matrix, intent_rows
from kdsl_cli.reporting.page.rendering import render
from kdsl_cli.reporting.page.trees import search_trees
from kdsl_cli.reporting.scores import SCORES
from kdsl_cli.reporting.summary import HEADINGS
from kdsl_cli.reporting.systems import tasks_of

PART: Final = 64
"""Cards unpacked together: opening one costs little, and its neighbours nothing more."""

_ERRING: Final = 12
_FEWEST: Final = 5  # dialogues: the share right of one or two says nothing


def page(material: Material, sources: Mapping[str, str], *, linked_pictures: bool = False) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    sources
        ``src`` of each picture that can be shown.
    linked_pictures
        Whether those lie beside the page.
    """
    trees = _in_order(search_trees(material.searches, material.bases), material.predictions.intents)
    context = {
        "version": __version__,
        "name": material.name,
        "split": material.split,
        "n": material.predictions.frame.height,
        "names": NAMES,
        "headings": HEADINGS,
        "score_names": SCORES,
        "listing": listing,
        "charts_available": charts.available(),
        "warnings": list(material.warnings),
        "tasks": [
            {"at": f"task-{number}", **_task(material, task)}
            for number, task in enumerate(tasks_of(material.predictions), 1)
        ],
        "training": _training(material.training),
        "manifests": list(material.manifests),
        "trees": [{key: tree[key] for key in ("task", "intent", "simulations", "found")} for tree in trees],
        "tree_data": [packed(tree["rounds"]) for tree in trees],
        "row_data": packed({**rows(material), "part": PART}),
        "text_data": packed(searchable(material)),
        "card_data": in_parts(cards(material, sources), PART),
    }
    return render(context, linked_pictures=linked_pictures)


def _in_order(trees: Iterable[dict[str, Any]], intents: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Return trees in the catalogue's order: in the log they stand as they were done."""
    places = {
        (task, intent): place
        for place, (task, intent) in enumerate(
            (task, name) for task, names in intents.items() for name in names
        )
    }
    known = [tree for tree in trees if (tree["task"], tree["intent"]) in places]
    return sorted(known, key=lambda tree: places[tree["task"], tree["intent"]])


@dataclass(frozen=True, slots=True)
class ErringRule:
    """A rule that fired where its intent was not the answer, with its firings and the right ones of them."""

    id: str
    intent: str
    words: str
    fired: int
    correct: int
    link: str


def _task(material: Material, task: str) -> dict[str, Any]:
    tables, table, base = material.tables, material.predictions, material.bases.get(task)
    starts = base.starts if base else {}
    return {
        "name": task,
        "scores": scores(tables, task),
        "mcnemar": tables.mcnemar.filter(pl.col("task") == task).to_dicts(),
        "aside": left_aside(tables, task),
        "decided": deciders(table, task),
        "trust": trust(tables, table, task),
        "worst": worst_confusions(tables, task),
        "intents": intent_rows(tables, task, starts),
        "starts": bool(starts),
        "matrix": confusion_matrix(tables, task, table.intents[task]),
        "erring": list(_erring(material, task)),
        **_curves(material, task),
    }


def _curves(material: Material, task: str) -> dict[str, Any]:
    reliability = curves.reliability(material.predictions, task)
    selective = curves.selective(material.predictions, task).filter(pl.col("n") >= _FEWEST)
    drawn = charts.available()
    return {
        "reliability": reliability.to_dicts(),
        "reliability_chart": charts.reliability_chart(reliability) if drawn and reliability.height else None,
        "selective_chart": charts.selective_chart(selective) if drawn and selective.height else None,
    }


def _erring(material: Material, task: str) -> Iterator[ErringRule]:
    """Yield the rules with the most wrong firings; what they say is told by the rule file."""
    base = material.bases.get(task)
    said = {rule.id: describe(rule.when) for rule in base.rules} if base else {}
    wrong = pl.col("fired") - pl.col("correct")
    found = material.tables.per_rule.filter(pl.col("task") == task, wrong > 0)
    for row in found.sort(wrong, "rule", descending=[True, False]).head(_ERRING).iter_rows(named=True):
        link = listing(task=task, rule=row["rule"])
        words = said.get(row["rule"], row["rule"])
        yield ErringRule(row["rule"], row["intent"], words, row["fired"], row["correct"], link)


def _training(measured: pl.DataFrame | None) -> dict[str, Any]:
    if measured is None or "step" not in measured.columns or not charts.available():
        return {}
    return dict(charts.training_charts(measured))
