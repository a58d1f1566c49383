"""The frame every page of the app shares: status bar, title, cards, rows and the bottom bar."""

from __future__ import annotations

from dataclasses import dataclass, field

from shopgen.draw import Draw
from shopgen.screen import Colour, Icon, Item, Rect, Screen, Text

WIDTH, HEIGHT = 360, 780
BAR_TOP = HEIGHT - 84  # the bottom bar starts here; below it is the region "bottom"
ACCENTS: tuple[Colour, ...] = (
    (226, 92, 44),
    (28, 140, 92),
    (40, 104, 214),
    (138, 72, 190),
    (205, 48, 82),
    (20, 134, 150),
)
PASTELS: tuple[Colour, ...] = (
    (250, 222, 200),
    (205, 232, 214),
    (206, 220, 246),
    (228, 212, 240),
    (246, 208, 216),
    (224, 218, 200),
)
ICONS = ("bag", "cup", "lamp", "star", "heart", "box")
GREY: Colour = (150, 150, 154)


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one page."""

    back: Colour
    card: Colour
    ink: Colour
    faint: Colour
    accent: Colour


def theme(d: Draw) -> Theme:
    """Draw up a light, tinted or dark theme, whatever the page: brightness must not tell pages apart."""
    accent, shade = d.pick(ACCENTS), d.rng.randint(-14, 6)
    if d.chance(0.35):
        base = 34 + d.rng.randint(-10, 18)
        red, green, blue = (min(255, channel + 46) for channel in accent)
        card = (base + 18, base + 18, base + 22)
        return Theme((base, base, base + 3), card, (238, 238, 240), (176, 176, 182), (red, green, blue))
    tint = d.pick(PASTELS) if d.chance(0.4) else (242 + shade, 242 + shade, 244 + shade)
    card = (255, 255, 255) if d.chance(0.7) else (250, 248, 244)
    return Theme(tint, card, (32, 32, 36), (104, 104, 112), accent)


@dataclass(slots=True)
class Page:
    """A page being laid out from top to bottom; `y` is where the next block starts."""

    d: Draw
    theme: Theme
    y: float = 0
    items: list[Item] = field(default_factory=list)

    def add(self, *items: Item) -> None:
        """Draw on top of what is there."""
        self.items.extend(items)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: int = 15,
        *,
        faint: bool = False,
        bold: bool = False,
        anchor: str = "l",
        colour: Colour | None = None,
    ) -> None:
        """Add one line in the theme's ink."""
        ink = colour or (self.theme.faint if faint else self.theme.ink)
        self.add(Text(x, y, text, size, ink, bold, anchor))  # type: ignore[arg-type]

    def card(self, height: float, fill: Colour | None = None) -> float:
        """Add a card across the page, return its top and move on below it."""
        top = self.y
        self.add(Rect((12, top, WIDTH - 12, top + height), fill or self.theme.card, self.d.pick((6, 10, 14))))
        self.y = top + height + self.d.rng.randint(8, 13)
        return top

    def status_bar(self) -> None:
        """Add clock and battery."""
        rng = self.d.rng
        self.text(20, 18, f"{rng.randint(0, 23)}:{rng.randint(0, 59):02}", 13, bold=True)
        self.add(
            Rect((318, 12, 342, 24), self.theme.faint, 3),
            Rect((320, 14, 320 + rng.randint(5, 20), 22), self.theme.card, 2),
        )
        self.y = 34

    def title_bar(self, title: str) -> None:
        """Add the page's name with a back arrow; stands in the region "top"."""
        if self.d.chance(0.35):
            self.add(Rect((0, 34, WIDTH, 80), self.theme.card))
        self.add(
            Icon("back", (14, 47, 34, 67), self.theme.ink), Icon("more", (324, 47, 344, 67), self.theme.ink)
        )
        self.text(WIDTH / 2 if self.d.chance(0.6) else 92, 57, title, 18, bold=True, anchor="m")
        self.y = 88

    def banner(self, head: str, note: str) -> None:
        """Add a coloured block with the state of things."""
        height = self.d.rng.randint(74, 104)
        top = self.card(height, self.theme.accent)
        left = self.d.pick((26, 76))
        if left == 76:
            self.add(
                Icon(self.d.pick(("star", "bell", "dot")), (28, top + 18, 62, top + 52), (255, 255, 255))
            )
        self.text(left, top + 26, head, 18, bold=True, colour=(255, 255, 255))
        self.text(left, top + 53, note, 14, colour=(255, 255, 255))

    def product(self) -> None:
        """Add a product with its picture, name and price; pictures stand left or right."""
        d, height = self.d, self.d.rng.randint(86, 104)
        top = self.card(height)
        left = 24 if d.chance(0.7) else 262
        words = 112 if left == 24 else 26
        self.thumbnail(left, top + 10, height - 24)
        self.text(words, top + 26, d.product(), 15)
        self.text(words, top + 52, d.price(), 16, bold=True, colour=self.theme.accent)
        self.text(words + 108, top + 52, f"x{d.rng.randint(1, 4)}", 14, faint=True)
        if d.chance(0.4):
            self.text(words, top + 75, d.brand(), 13, faint=True)

    def thumbnail(self, x: float, y: float, side: float) -> None:
        """Add a pastel square with a drawing."""
        inset = side * 0.22
        self.add(Rect((x, y, x + side, y + side), self.d.pick(PASTELS), 8))
        self.add(
            Icon(
                self.d.pick(ICONS),
                (x + inset, y + inset, x + side - inset, y + side - inset),
                self.d.pick(ACCENTS),
            )
        )

    def rows(self, rows: list[tuple[str, str]]) -> None:
        """Add names on the left, values on the right."""
        step = self.d.pick((30, 33, 36))
        top = self.card(step * len(rows) + 14)
        value_bold = self.d.chance(0.3)
        for number, (name, value) in enumerate(rows):
            middle = top + 7 + step * (number + 0.5)
            self.text(26, middle, name, 15, faint=True)
            self.text(WIDTH - 26, middle, value, 15, anchor="r", bold=value_bold)

    def note(self, text: str) -> None:
        """Add a faint line between cards."""
        self.text(24, self.y + 10, text, 14, faint=True)
        self.y += 28

    def bottom(self, buttons: list[str], left_text: str | None = None) -> None:
        """Add the bar at the foot: the last button is filled, the others are outlined."""
        self.add(Rect((0, BAR_TOP, WIDTH, HEIGHT), self.theme.card))
        middle, right = BAR_TOP + 34.0, WIDTH - 12.0
        for place, label in enumerate(reversed(buttons)):
            width = 116 if left_text or len(buttons) < 3 else 104
            left = right - width
            main = place == 0
            edge = None if main else self.theme.faint
            self.add(
                Rect(
                    (left, middle - 20, right, middle + 20),
                    self.theme.accent if main else self.theme.card,
                    20,
                    edge,
                )
            )
            self.text(
                (left + right) / 2,
                middle,
                label,
                15,
                bold=main,
                anchor="m",
                colour=(255, 255, 255) if main else None,
            )
            right = left - 8
        if left_text:
            self.text(18, middle, left_text, 16, bold=True)
        self.add(Rect((120, HEIGHT - 10, 240, HEIGHT - 6), self.theme.faint, 2))

    def screen(self) -> Screen:
        """Return the finished picture."""
        return Screen(WIDTH, HEIGHT, "screenshot", tuple(self.items), self.theme.back)
