"""A small multimodal model, played: it sees what the shop's generator drew, and is wrong now and then.

It knows the truth about each picture (``data/shop/truth/answers.jsonl``), never a label. A question it
understands in a few wordings; for some pairs of wording and picture, fixed by the seed, its answer is wrong.
Everything else it is asked it answers by chance, as fixed.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")

WORDINGS = {
    "Is the buy button greyed out?": (
        "Is the buy button greyed out?",
        "Is the purchase button grey?",
        "Is the button for buying disabled?",
        "购买按钮是灰色的吗？",
        "购买按钮是否置灰？",
    ),
    "Does a pop-up lie over the page?": (
        "Does a pop-up lie over the page?",
        "Is the page covered by a pop-up?",
        "Is there a pop-up window in front of the page?",
        "页面上有弹窗吗？",
        "页面是否被弹窗遮挡？",
    ),
    "Is a corner of the parcel damaged?": (
        "Is a corner of the parcel damaged?",
        "Does the parcel have a torn corner?",
        "Is the box broken at a corner?",
        "包裹的角破损了吗？",
        "包裹的一角是否破损？",
    ),
}
"""By question of the truth file, the wordings that are understood."""

IDLE = (
    "Is the picture taken in daylight?",
    "Does the customer sound in a hurry?",
    "Is there a person in the picture?",
    "画面是否偏暗？",
    "顾客是否生气？",
    "Is the text mostly in capital letters?",
)
WAYS = ("Would you say so", "Put otherwise", "In other words", "那么", "请问")
"""How a question that is not understood is worded anew."""

PHRASES = ("加载中", "more", "12:00", "全部", "shop", "确定")

SURE = 1.4  # log-odds of an answer: 80 %
SPREAD = 0.4  # up to which they vary from picture to picture
LEANING = 0.5  # up to which a wording makes it lean to yes or to no, whatever it is shown

HEADINGS = {True: r"(Right|Missed) \d+ \(", False: r"Wrongly caught \d+ \("}
"""How lines begin that say of the dialogues below them whether they are of the intent."""

YES = frozenset({"yes", "y", "true", "是", "有"})
NO = frozenset({"no", "n", "false", "否", "没有"})


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of a prompt: a text, or a picture by the SHA-256 of its bytes."""

    text: str = ""
    picture: str = ""


class ShopModel:
    """Answers questions and proposes rules.

    Parameters
    ----------
    shop
        The folder ``data/shop``.
    wrong
        Share of pairs of wording and picture that are answered wrongly.
    seed
        Decides which, and everything else that is chance.
    """

    def __init__(self, shop: Path, *, wrong: float, seed: int) -> None:
        self._truth = _truth(shop)
        self._wrong = wrong
        self._seed = seed
        self._wordings = {
            _plain(wording): question for question, wordings in WORDINGS.items() for wording in wordings
        }

    def log_odds(self, parts: Sequence[Shown]) -> float:
        """Return how sure the model is of yes, against no, of the question that ends `parts`."""
        wording, question, before = self._asked(parts)
        leaning = LEANING * (2 * self._chance("leaning", wording) - 1)
        pictures = [part.picture for part in parts if part.picture]
        if not pictures and _plain(before) in ("", "nothing", "n/a"):
            return leaning
        seen = " ".join(pictures) or before
        sure = SURE + SPREAD * (2 * self._chance("sure", wording, seen) - 1)
        if question is None:
            yes = self._chance("idle", wording, seen) < 0.5
        else:
            yes = any(self._truth.get(picture, {}).get(question, False) for picture in pictures)
            yes ^= self._chance("wrong", wording, seen) < self._wrong
        return leaning + (sure if yes else -sure)

    def logprob(self, parts: Sequence[Shown], choice: str) -> float:
        """Return the log-probability of `choice` as the answer."""
        said = choice.strip().casefold()
        if said not in YES | NO:
            return -6 - 4 * self._chance("other", said, *(part.text + part.picture for part in parts))
        odds = self.log_odds(parts)
        return -math.log1p(math.exp(-odds if said in YES else odds))

    def proposal(self, parts: Sequence[Shown], seed: int) -> str:
        """Return what the model answers when asked for a rule: mostly JSON, and not always to the point.

        It compares the pictures it is shown as right and as wrong, and invents a question where they differ.
        What it says varies with the request's seed; some twentieth of it is no JSON.
        """
        told = repr(parts)

        def chance(*of: str) -> float:
            return self._chance("proposal", str(seed), told, *of)

        if chance("broken") < 0.05:
            return 'Sure! Here is a condition: {"when": {"answer": the buy button'
        telling = list(self._telling(parts))
        if telling:
            question, yes = _drawn(telling, chance("which"))
            # It is told which wordings were asked before, and to find another.
            fresh = [each for each in WORDINGS[question] if not any(each in part.text for part in parts)]
            asked = _drawn(fresh or WORDINGS[question], chance("wording"))
            leaf: dict[str, object] = {"answer": {"question": asked, "is": "yes" if yes else "no"}}
            why = "The wrong ones look otherwise."
        elif chance("idle") < 0.5:
            leaf = {"answer": {"question": _drawn(IDLE, chance("which")), "is": "yes"}}
            why = "It seems so."
        else:
            leaf = {"text": {"contains": _drawn(PHRASES, chance("which")), "in": "any"}}
            why = "The words are there."
        return json.dumps({"when": leaf, "why": why}, ensure_ascii=False)

    def rewording(self, parts: Sequence[Shown], seed: int) -> str:
        """Return a question in as many other wordings as asked for; some twentieth of it is no JSON.

        Some wordings are wrong: they ask after something else. As many as answers.
        """
        told = parts[-1].text
        wording, question, _ = self._asked(parts)
        if self._chance("rewording", str(seed), told) < 0.05:
            return "Sure! Here are some other ways"
        number = re.search(r"in (\d+) other ways", told)
        known = WORDINGS[question] if question else tuple(f"{way}: {wording}" for way in WAYS)
        others = [
            _drawn(IDLE, self._chance("slip", told, each))
            if self._chance("slips", told, each) < self._wrong
            else each
            for each in known
            if _plain(each) != wording
        ]
        return json.dumps({"wordings": others[: int(number[1]) if number else 1]}, ensure_ascii=False)

    def _telling(self, parts: Sequence[Shown]) -> Iterator[tuple[str, bool]]:
        """Yield the questions whose answer parts most pictures that are right from most that are wrong.

        Each with whether the right ones are those of a yes.
        """
        right, wrong = _sides(parts)
        for question in WORDINGS if right and wrong else ():
            among_right, among_wrong = (
                sum(self._truth.get(picture, {}).get(question, False) for picture in side) / len(side)
                for side in (right, wrong)
            )
            if abs(among_right - among_wrong) > 0.5:
                yield question, among_right > among_wrong

    def _asked(self, parts: Sequence[Shown]) -> tuple[str, str | None, str]:
        """Return the wording of the question, which question of the truth it is, and the text before it."""
        texts = [part.text for part in parts if part.text]
        last = texts[-1] if texts else ""
        found = re.search(r"^(?:Question|问题)\s*[:：]\s*(.+)$", last, re.M)
        wording = found.group(1).strip() if found else last.strip()
        before = "\n".join([*texts[:-1], last[: found.start()] if found else ""]).strip()
        for known, question in self._wordings.items():
            if known in _plain(wording):
                return known, question, before
        return _plain(wording), None, before

    def _chance(self, *of: str) -> float:
        """Return a number from 0 to 1, the same each time for the same seed and texts."""
        digest = hashlib.sha256("\x1f".join([str(self._seed), *of]).encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48


def _sides(parts: Sequence[Shown]) -> tuple[list[str], list[str]]:
    """Return the pictures below headings that call them right, and below those that call them wrong."""
    sides: dict[bool, list[str]] = {True: [], False: []}
    side: bool | None = None
    for part in parts:
        for line in part.text.splitlines():
            for is_right, pattern in HEADINGS.items():
                side = is_right if re.match(pattern, line) else side
        if part.picture and side is not None:
            sides[side].append(part.picture)
    return sides[True], sides[False]


def _drawn(values: Sequence[Value], chance: float) -> Value:
    return values[int(chance * len(values))]


def _plain(text: str) -> str:
    """Return a text without what does not change its meaning."""
    return re.sub(r"[\s?？.。!！,，:：()（）\"'“”-]+", "", text).casefold()


def _truth(shop: Path) -> dict[str, dict[str, bool]]:
    """Return the answers by the SHA-256 of the picture; in the shop, no dialogue has two."""
    lines = (shop / "truth" / "answers.jsonl").read_text("utf-8").splitlines()
    answers = {row["id"]: row["answers"] for row in map(json.loads, lines)}
    truth: dict[str, dict[str, bool]] = {}
    for row in map(json.loads, (shop / "dialogues.jsonl").read_text("utf-8").splitlines()):
        for image in (image for turn in row["turns"] for image in turn["images"]):
            digest = hashlib.sha256((shop / image).read_bytes()).hexdigest()
            truth[digest] = {question: is_ == "yes" for question, is_ in answers[row["id"]].items()}
    return truth
