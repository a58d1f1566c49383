"""Random choices in one language: names, prices, dates and words that mean nothing for the intent."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from shopgen.words import WORDS

Lang = Literal["zh", "en"]
T = TypeVar("T")

# Invented brands; both alphabets appear on pages of both languages.
BRANDS = ("禾屿小铺", "柚桥", "Heyu Mart", "Pebblewick", "青垄生活", "Loomlark")


@dataclass(frozen=True, slots=True)
class Draw:
    """A seeded source of choices, and the language they are made in."""

    rng: random.Random
    lang: Lang

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, all alike."""
        return options[self.rng.randrange(len(options))]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """Return `count` different options, in random order."""
        return self.rng.sample(list(options), count)

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.rng.random() < probability

    def word(self, key: str) -> str:
        """Return the one wording of a key in this language, or any of its wordings."""
        return self.pick(self.words(key))

    def words(self, key: str) -> tuple[str, ...]:
        """Return all wordings of a key in this language."""
        return WORDS[key][0 if self.lang == "zh" else 1]

    def brand(self) -> str:
        """Name an invented brand."""
        return self.pick(BRANDS)

    def product(self) -> str:
        """Name a product with a colour."""
        name, colour = self.word("product"), self.word("colour")
        return f"{colour}{name}" if self.lang == "zh" else f"{colour} {name}"

    def price(self, low: int = 9, high: int = 399) -> str:
        """Make up a price with its sign, such as ¥59.90."""
        return f"¥{self.rng.randint(low, high)}.{self.pick(('00', '50', '80', '90'))}"

    def date(self) -> str:
        """Make up a day and an hour, such as 03-14 09:26."""
        rng = self.rng
        return (
            f"{rng.randint(1, 12):02}-{rng.randint(1, 28):02} {rng.randint(7, 22):02}:{rng.randint(0, 59):02}"
        )

    def day(self) -> str:
        """Make up a day as a customer writes it."""
        month, day = self.rng.randint(1, 12), self.rng.randint(1, 28)
        if self.lang == "zh":
            return self.pick((f"{month}月{day}号", f"{month}.{day}", f"{day}号"))
        return self.pick((f"{month}/{day}", f"the {day % 17 + 4}th", f"last {self.word('weekday')}"))

    def code(self, digits: int = 12) -> str:
        """Make up a number such as stands on an order or a parcel."""
        return "".join(str(self.rng.randrange(10)) for _ in range(digits))
