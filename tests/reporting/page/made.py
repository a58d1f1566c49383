"""A small evaluation with everything a page can show, and with names that would like to be markup."""

from __future__ import annotations

from pathlib import Path

from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.logic.conditions import All, Not, condition_key
from kdsl_cli.logic.facts import Facts, ImageFact, OcrLine, TurnFact
from kdsl_cli.logic.predicates import OcrPredicate, TextPredicate
from kdsl_cli.logic.rule import BaseRate, Rule, RuleBase
from kdsl_cli.prediction.table import Prediction, prediction_table
from kdsl_cli.reporting.page.material import Material
from kdsl_cli.reporting.tables import evaluate

EVIL = "<script>hacked=1</script>"
LINK = f"https://shop.example/{'a' * 300}"
INTENTS = {"scene": ("退款", "parcel", EVIL), "chat": ("hurry", "thanks")}

REFUND = OcrPredicate("contains", ("退款",), "top")
PARCEL = OcrPredicate("contains_any", ("parcel", "box"))
HURRY = TextPredicate("customer", "contains", ("quick",))

BASES = {
    "scene": RuleBase(
        "scene",
        (
            Rule("r-refund", "退款", All((REFUND, Not(PARCEL))), weight=2.0, why="退款 stands at the top."),
            Rule("r-parcel", "parcel", PARCEL, weight=1.5),
            Rule("r-evil", EVIL, OcrPredicate("contains", ("</script>",)), weight=0.5, why=EVIL),
        ),
        base_rates=(BaseRate("parcel", -0.5),),
    ),
    "chat": RuleBase("chat", (Rule("r-hurry", "hurry", HURRY, weight=1.0),)),
}


def screen(id: str, text: str) -> tuple[Dialogue, Facts]:
    """A screenshot with one line that matters, below another."""
    lines = (
        OcrLine(0, 0, "12:00", 0.9, (0.1, 0.02, 0.2, 0.05)),
        OcrLine(0, 1, text, 0.9, (0.25, 0.08, 0.75, 0.12)),
    )
    dialogue = Dialogue(id, "scene", (Turn("customer", "<image>", (f"{id}.png",)),))
    return dialogue, Facts(id, (TurnFact(0, "customer", ""),), lines, (ImageFact(0, "screenshot"),))


def chat(id: str, *texts: str) -> tuple[Dialogue, Facts]:
    """Turns of a customer and a service, by turns."""
    roles = ("customer", "service")
    turns = tuple(Turn(roles[seq % 2], text) for seq, text in enumerate(texts))
    facts = tuple(TurnFact(seq, turn.role, turn.text) for seq, turn in enumerate(turns))
    return Dialogue(id, "chat", turns), Facts(id, facts)


def said(id, task, label, together, fired=(), *, rules=None, large=None, p=0.8, **changes) -> Prediction:
    """A decision of which everyone is sure to `p`."""
    names = INTENTS[task]

    def spread(name):
        return tuple(p if each == name else (1 - p) / (len(names) - 1) for each in names) if name else None

    values = {
        "id": id, "task": task, "split": "test", "group": None, "label": label, "prediction": together,
        "scores": spread(together) or tuple(1 / len(names) for _ in names), "fired": tuple(fired),
        "strategy": "log-odds", "rules_prediction": rules, "rules_scores": spread(rules),
        "large_prediction": large, "large_scores": spread(large),
        "decided_by": "both" if together else "none",
    }  # fmt: skip
    return Prediction(**{**values, **changes})


def material(n: int = 40, **changes) -> Material:
    """`n` screenshots, three fifths of them of refunds, four chats, and a row in every other state."""
    told = [
        screen(f"s{number:03}", "退款详情" if number % 5 < 3 else "your parcel box") for number in range(n)
    ]
    told += [chat(f"c{number}", f"{EVIL} be quick", LINK, "quick & <b>quick</b>", "") for number in range(4)]
    told += [
        screen("x-evil", f"{EVIL} 退款"),
        screen("x-abstained", "nothing"),
        screen("x-unlabelled", "parcel"),
    ]
    rows = []
    for number in range(n):
        refund = number % 5 < 3
        name, rule = ("退款", "r-refund") if refund else ("parcel", "r-parcel")
        label = "parcel" if number % 10 == 0 else name  # each tenth is labelled otherwise
        large = name if number % 7 else "parcel"
        p = 0.5 + 0.5 * number / n
        rows.append(said(f"s{number:03}", "scene", label, name, (rule,), rules=name, large=large, p=p))
    rows += [
        said(f"c{number}", "chat", "hurry", "hurry", ("r-hurry",), rules="hurry", large="thanks")
        for number in range(4)
    ]
    rows += [
        said("x-evil", "scene", EVIL, "退款", ("r-refund", "r-evil"), rules="退款", large=EVIL),
        said("x-abstained", "scene", "parcel", None),
        said("x-failed", "scene", "退款", None, scores=None, error=f"picture: {EVIL}"),
        said("x-unlabelled", "scene", None, "parcel", ("r-parcel",), rules="parcel", large="parcel"),
    ]
    table = prediction_table(rows, INTENTS)
    values = {
        "name": "shop <&>",
        "split": "test",
        "predictions": table,
        "tables": evaluate(table, BASES.values(), seed=0, resamples=50),
        "bases": BASES,
        "dialogues": {one.id: one for one, _ in told},
        "facts": {facts.id: facts for _, facts in told},
        "searches": [search()],
        "warnings": [f"a rule file was edited: {EVIL}"],
    }
    return Material(**{**values, **changes})


def search(**changes) -> dict:
    """A search that tried two openings and one more clause, and kept two drafts."""
    key, more = condition_key(REFUND), condition_key(All((REFUND, Not(PARCEL))))
    parcel = condition_key(PARCEL)

    def event(simulation, path, key, value):
        return {"round": 0, "simulation": simulation, "path": path, "key": key, "value": value, "new": True}

    events = [
        event(0, [], "(empty)", 0.0),
        event(1, [f"require {key}"], key, 0.5),
        event(2, [f"require {parcel}"], parcel, 0.1),
        event(3, [f"require {key}", f"exclude {parcel}"], more, 0.75),
        event(4, [f"require {key}", f"exclude {parcel}"], more, 0.75),
    ]
    kept = [{"round": 0, "condition": more}, {"round": 0, "condition": key}]
    values = {
        "task": "scene", "fold": -1, "intent": "退款", "complete": True, "simulations": 5, "found": kept,
        "events": events,
    }  # fmt: skip
    return {**values, **changes}


def draw_pictures(folder: Path, made: Material) -> None:
    """Draw what the dialogues name, a stripe where the line that matters stands."""
    from PIL import Image, ImageDraw

    for number, name in enumerate(one for dialogue in made.dialogues.values() for one in dialogue.images):
        image = Image.new("RGB", (120, 240), (250, 250, 250))
        ImageDraw.Draw(image).rectangle((30, 19, 90, 29), fill=(number % 200, 80, 160))
        image.save(folder / name)
