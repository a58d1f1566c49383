"""Samples of both tasks: the shop that ships, and fresh ones for scoring."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shopgen import pages, seen
from shopgen.draw import Draw, Lang
from shopgen.requests import REQUESTS, conversation
from shopgen.screen import Screen

PER_PAGE, PER_REQUEST = 22, 25
NOISE = 0.02
ZH_SHARE = 0.6

GREYED = "Is the buy button greyed out?"
POPUP = "Does a pop-up lie over the page?"
DAMAGED = "Is a corner of the parcel damaged?"
QUESTIONS = (GREYED, POPUP, DAMAGED)

PAGES: dict[str, tuple[Callable[[Draw], Screen], str | None]] = {
    "order-detail": (pages.order_detail, None),
    "order-confirm": (pages.order_confirm, None),
    "parcel-tracking": (pages.parcel_tracking, None),
    "refund-progress": (pages.refund_progress, None),
    "return-progress": (pages.return_progress, None),
    "coupon-list": (pages.coupon_list, None),
    "invoice-page": (pages.invoice_page, None),
    "waybill-photo": (seen.waybill_photo, None),
    "product-on-sale": (lambda d: seen.product_page(d, greyed=False), None),
    "product-sold-out": (lambda d: seen.product_page(d, greyed=True), GREYED),
    "home": (lambda d: seen.home_page(d, popup=False), None),
    "home-popup": (lambda d: seen.home_page(d, popup=True), POPUP),
    "parcel-intact": (lambda d: seen.parcel_photo(d, damaged=False), None),
    "parcel-damaged": (lambda d: seen.parcel_photo(d, damaged=True), DAMAGED),
}
"""Intent: how to draw it, and the one question whose answer is yes."""

PARCELS = ("parcel-intact", "parcel-damaged")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its file name (no folder), what is on it, and the questions answered yes."""

    name: str
    screen: Screen
    yes: frozenset[str]
    intent: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A dialogue with all that is known of it.

    `turns` holds (role, text, number of pictures); `label` is what a person would have written down,
    `truth` what is true: they differ in about 2 % of the shop that ships, never in fresh samples.
    """

    id: str
    task: str
    turns: tuple[tuple[str, str, int], ...]
    pictures: tuple[Picture, ...]
    group: str
    label: str
    truth: str
    lang: Lang

    def answer(self, question: str) -> bool:
        """Return whether some picture answers the question with yes."""
        return any(question in picture.yes for picture in self.pictures)


def shop(seed: int) -> tuple[Sample, ...]:
    """Make the shop that ships: fixed counts an intent, 60 % Chinese within each, 2 % wrong labels."""
    rng = random.Random(f"shop/{seed}")
    plan = _plan(rng, tuple(PAGES), PER_PAGE), _plan(rng, REQUESTS, PER_REQUEST)
    return _noisy(rng, list(_samples(rng, *plan, prefix="")))


def fresh(count: int, seed: int) -> tuple[Sample, ...]:
    """Make `count` new samples with true labels, half of them pages, all intents alike often."""
    rng = random.Random(f"fresh/{seed}")
    half = count // 2

    def draw(intents: tuple[str, ...], number: int) -> list[tuple[str, Lang]]:
        return [(rng.choice(intents), "zh" if rng.random() < ZH_SHARE else "en") for _ in range(number)]

    plan = draw(tuple(PAGES), half), draw(REQUESTS, count - half)
    return tuple(_samples(rng, *plan, prefix=f"fresh{seed}-"))


def _plan(rng: random.Random, intents: tuple[str, ...], count: int) -> list[tuple[str, Lang]]:
    zh = round(count * ZH_SHARE)
    plan: list[tuple[str, Lang]] = [
        (intent, "zh" if n < zh else "en") for intent in intents for n in range(count)
    ]
    rng.shuffle(plan)
    return plan


def _samples(
    rng: random.Random, page_plan: list[tuple[str, Lang]], request_plan: list[tuple[str, Lang]], prefix: str
) -> Iterator[Sample]:
    shown: list[Picture] = []
    for number, (intent, lang) in enumerate(page_plan, 1):
        name = f"{prefix}page-{number:04}"
        build, question = PAGES[intent]
        screen = build(Draw(random.Random(rng.getrandbits(64)), lang))
        picture = Picture(f"{name}.webp", screen, frozenset((question,) if question else ()), intent)
        shown.append(picture)
        yield Sample(name, "shop-page", (("customer", "", 1),), (picture,), f"c-{name}", intent, intent, lang)
    pool = {
        "damaged": [picture for picture in shown if picture.intent == "parcel-damaged"],
        "parcel": [picture for picture in shown if picture.intent in PARCELS],
        "screenshot": [picture for picture in shown if picture.screen.kind == "screenshot"],
    }
    said: set[str] = set()
    for number, (intent, lang) in enumerate(request_plan, 1):
        yield _request(rng, f"{prefix}req-{number:04}", intent, lang, pool, said)


def _request(
    rng: random.Random, name: str, intent: str, lang: Lang, pool: dict[str, list[Picture]], said: set[str]
) -> Sample:
    """Make one dialogue, said by nobody before; one that shows a page again is of that page's group."""
    while True:
        d = Draw(random.Random(rng.getrandbits(64)), lang)
        messages = conversation(d, intent)
        words = "\n".join(message.text for message in messages).casefold()
        if words not in said:
            break
    said.add(words)
    pictures = tuple(
        d.pick(pool[message.wants]) for message in messages if message.wants and pool[message.wants]
    )
    turns = tuple((message.role, message.text, int(bool(message.wants and pictures))) for message in messages)
    group = f"c-{pictures[0].name.removesuffix('.webp')}" if pictures else f"c-{name}"
    return Sample(name, "shop-request", turns, pictures, group, intent, intent, lang)


def _noisy(rng: random.Random, samples: list[Sample]) -> tuple[Sample, ...]:
    for place in rng.sample(range(len(samples)), round(len(samples) * NOISE)):
        sample = samples[place]
        others = [
            name for name in (PAGES if sample.task == "shop-page" else REQUESTS) if name != sample.truth
        ]
        wrong = rng.choice(others)
        samples[place] = Sample(
            sample.id,
            sample.task,
            sample.turns,
            sample.pictures,
            sample.group,
            wrong,
            sample.truth,
            sample.lang,
        )
    return tuple(samples)
