"""Dialogues of the task `shop-request`: greetings, other matters, the request, sometimes a nudge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from shopgen.chatter import CLOSERS, NUDGES, OPENERS, SERVICE, SMALL_TALK, THANKS
from shopgen.draw import Draw
from shopgen.lines import CORES, Lines

Wanted = Literal["damaged", "parcel", "screenshot"]
"""A damaged parcel, any parcel, any page of the app."""
REQUESTS = tuple(CORES)


@dataclass(frozen=True, slots=True)
class Message:
    """A turn before its pictures are known: `wants` says what kind of picture was sent with it."""

    role: Literal["customer", "service"]
    text: str
    wants: Wanted | None = None


def conversation(d: Draw, intent: str) -> list[Message]:
    """Return the turns of one request.

    The request is the customer's last message, except after a nudge ("are you there"), which about half of
    the invoice requests end with, and few others.
    """
    wants = _wanted(d, intent)
    turns: list[Message] = []
    if d.chance(0.45):
        turns += [Message("customer", _line(d, SMALL_TALK)), Message("service", _line(d, SERVICE))]
        if d.chance(0.3):
            turns += [Message("customer", _line(d, SMALL_TALK)), Message("service", _line(d, SERVICE))]
    elif d.chance(0.2):
        turns.append(Message("service", _line(d, SERVICE)))
    turns.append(Message("customer", _marked(d, _request(d, intent), wants), wants))
    if d.chance(0.45 if intent == "invoice-request" else 0.07):
        turns += [Message("service", _line(d, SERVICE)), Message("customer", _line(d, NUDGES))]
    elif d.chance(0.3):
        turns.append(Message("service", _line(d, THANKS)))
    if d.lang == "zh" and d.chance(0.7):  # most keyboards type the wide comma
        return [Message(turn.role, turn.text.replace(",", "，"), turn.wants) for turn in turns]
    return turns


def _wanted(d: Draw, intent: str) -> Wanted | None:
    if intent == "damage-report":
        return "damaged"
    if intent in ("return-goods", "exchange-goods") and d.chance(0.25):
        return "parcel"
    return "screenshot" if d.chance(0.25) else None


def _request(d: Draw, intent: str) -> str:
    core, closer = _line(d, CORES[intent]), _line(d, CLOSERS)
    comma = "," if d.lang == "zh" else ", "
    return f"{_line(d, OPENERS)}{core}{comma if closer else ''}{closer}"


def _marked(d: Draw, text: str, wants: Wanted | None) -> str:
    link = "<http>" if d.chance(0.12) else ""
    image = "<image>" if wants else ""
    return f"{image}{text}{link}" if d.chance(0.5) else f"{link}{text}{image}"


def _line(d: Draw, lines: Lines) -> str:
    line = d.pick(lines[0 if d.lang == "zh" else 1])
    # Only what stands in the line is drawn: a fixed number of draws would buy nothing here.
    fill: dict[str, Callable[[], str]] = {
        "p": d.product,
        "c": lambda: d.word("colour"),
        "d": d.day,
        "t": lambda: d.word("city"),
        "n": lambda: d.code(8),
        "k": lambda: d.word("company"),
    }
    for key, make in fill.items():
        mark = "{" + key + "}"
        if mark in line:
            line = line.replace(mark, make())
    return line
