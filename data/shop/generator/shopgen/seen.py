"""Pictures whose words never tell their intent: what differs is drawn, not written.

Each builder takes what is seen as an argument and uses it once, for the drawing alone, after every
random choice was made; so both intents of a pair have the same distribution of text.
"""

from __future__ import annotations

from shopgen.draw import Draw
from shopgen.layout import ACCENTS, BAR_TOP, GREY, HEIGHT, PASTELS, WIDTH, Page, theme
from shopgen.screen import Icon, Parcel, Rect, Screen, Text, Veil

PHOTO_WIDTH, PHOTO_HEIGHT = 420, 560


def product_page(d: Draw, *, greyed: bool) -> Screen:
    """Lay out a product with its buy button, which is grey when the product cannot be bought."""
    page = Page(d, theme(d))
    page.status_bar()
    hero = d.rng.randint(230, 290)
    page.add(Rect((0, 34, WIDTH, hero), d.pick(PASTELS)))
    side = hero * 0.45
    left = WIDTH / 2 - side / 2 + d.rng.randint(-40, 40)
    page.add(Icon(d.pick(("bag", "cup", "lamp", "box")), (left, 70, left + side, 70 + side), d.pick(ACCENTS)))
    page.y = hero + 10
    top = page.card(104)
    page.text(26, top + 24, d.price(), 22, bold=True, colour=page.theme.accent)
    page.text(26, top + 54, d.product(), 17, bold=True)
    page.text(26, top + 82, f"{d.brand()}  {d.word('promise')}", 14, faint=True)
    if d.chance(0.6):
        page.note(d.word("return_promise"))
    _swatches(page)
    for review in d.some(d.words("review"), d.rng.randint(1, 3)):
        top = page.card(60)
        page.add(Icon("dot", (26, top + 16, 50, top + 40), d.pick(ACCENTS)))
        page.text(62, top + 29, review, 14)
    _buy_bar(page, greyed=greyed)
    return page.screen()


def _swatches(page: Page) -> None:
    """Add the colours to choose from; grey ones are common, so that grey on the page means nothing."""
    d, side, top = page.d, page.d.rng.randint(26, 58), page.y
    for place in range(d.rng.randint(2, 5)):
        fill = page.theme.accent if place == 0 else GREY if d.chance(0.45) else d.pick(ACCENTS)
        page.add(Rect((24 + place * (side + 10), top, 24 + place * (side + 10) + side, top + side), fill, 8))
    page.y = top + side + 14


def _buy_bar(page: Page, *, greyed: bool) -> None:
    d, middle, half = page.d, BAR_TOP + 32 + page.d.rng.randint(-7, 7), page.d.rng.randint(16, 23)
    page.add(Rect((0, BAR_TOP, WIDTH, HEIGHT), page.theme.card))
    for place, name in enumerate(d.some(d.words("side"), 2)):
        page.text(26 + 40 * place, middle + 12, name, 13, faint=True, anchor="m")
        # Small grey icons stand beside either button, so that some grey in the bar means nothing.
        page.add(
            Icon(
                d.pick(("heart", "star", "dot")),
                (17 + 40 * place, middle - 18, 35 + 40 * place, middle),
                GREY,
            )
        )
    cart, buy = (
        Rect((92, middle - half, 218, middle + half), (246, 158, 40), half),
        (224, middle - half, 350, middle + half),
    )
    page.add(cart, Rect(buy, GREY if greyed else page.theme.accent, half))
    page.text(155, middle, d.word("add_to_cart"), 15, bold=True, anchor="m", colour=(255, 255, 255))
    page.text(287, middle, d.word("buy"), 16, bold=True, anchor="m", colour=(250, 250, 250))


def home_page(d: Draw, *, popup: bool) -> Screen:
    """Lay out the shop's first page; its middle holds a wordless picture, where a wordless pop-up may lie."""
    page = Page(d, theme(d))
    page.status_bar()
    page.add(Rect((14, 40, WIDTH - 14, 78), page.theme.card, 19))
    page.text(34, 59, f"{d.word('search')}  {d.word('product')}", 15, faint=True)
    for place, name in enumerate(d.some(d.words("category"), 4)):
        x = 48 + 88 * place
        page.add(
            Icon(d.pick(("bag", "cup", "lamp", "heart", "star")), (x - 20, 92, x + 20, 132), d.pick(ACCENTS))
        )
        page.text(x, 148, name, 14, anchor="m")
    top = d.rng.randint(172, 186)
    _picture(page, top, top + 260)
    page.y = top + 272
    page.note(d.word("recommend"))
    for place in range(2):
        x = 14 + 170 * place
        page.add(Rect((x, page.y, x + 162, page.y + 168), page.theme.card, 10))
        page.thumbnail(x + 36, page.y + 8, 90)
        page.text(x + 12, page.y + 116, d.product(), 14)
        page.text(x + 12, page.y + 142, d.price(), 16, bold=True, colour=page.theme.accent)
    page.add(Rect((0, HEIGHT - 58, WIDTH, HEIGHT), page.theme.card))
    for place, name in enumerate(d.words("tabs")):
        page.text(45 + 90 * place, HEIGHT - 24, name, 13, faint=place != 0, anchor="m")
    # A screen turned down at night is as dark as one behind a pop-up: darkness alone must not tell.
    if d.chance(0.85):
        page.add(Veil(d.rng.uniform(0.25, 0.45)))
    icon, fill, tint = d.pick(("star", "bell", "heart")), d.pick(PASTELS), d.pick(ACCENTS)
    if popup:
        page.add(Rect((82, top + 8, 278, top + 210), fill, 18))
        page.add(
            Icon(icon, (125, top + 52, 235, top + 162), tint),
            Icon("cross", (166, top + 222, 194, top + 250), fill),
        )
    return page.screen()


def _picture(page: Page, top: float, bottom: float) -> None:
    """Add a poster without words: goods, one over the other."""
    d = page.d
    page.add(Rect((12, top, WIDTH - 12, bottom), d.pick(PASTELS), 12))
    for _ in range(d.rng.randint(4, 10)):
        side, x = d.rng.randint(30, 96), d.rng.randint(24, 240)
        y = d.rng.uniform(top + 6, bottom - side - 6)
        page.add(
            Icon(
                d.pick(("bag", "cup", "lamp", "star", "gift", "dot")),
                (x, y, x + side, y + side),
                d.pick(ACCENTS),
            )
        )


def parcel_photo(d: Draw, *, damaged: bool) -> Screen:
    """Take a parcel on a table, whole or with a crushed corner; the print on the box is the same."""
    base, items = _parcel(d, damaged=damaged)
    ink = d.pick(((70, 44, 24), (120, 30, 28), (40, 40, 44)))
    x, y = 210 + base[0], 330 + base[1]
    items.append(Text(x, y, d.brand(), 28, ink, True, "m"))
    items.append(Text(x, y + 44, d.word("fragile"), 20, ink, True, "m"))
    if d.chance(0.4):
        items.append(Text(x, y + 78, f"No.{d.code(4)}", 18, ink, False, "m"))
    return Screen(PHOTO_WIDTH, PHOTO_HEIGHT, "photo", tuple(items))


def waybill_photo(d: Draw) -> Screen:
    """Take a parcel with its waybill, the words of a tracking page on a photo."""
    base, items = _parcel(d, damaged=False)
    left, top = 106 + base[0], 272 + base[1]
    items.append(Rect((left, top, left + 210, top + 160), (246, 245, 240), 3))
    lines = [
        f"{d.word('city')} {d.code(3)}",
        f"{d.word('weight')} {d.rng.randint(1, 9)}.{d.rng.randint(0, 9)} kg",
        d.brand(),
    ]
    signs = [f"{d.word('waybill')} {d.code(9)}", f"{d.word('receiver')} {d.word('person')}"]
    shown = [] if d.chance(0.05) else signs if d.chance(0.5) else [d.pick(signs)]
    lines = [*shown, *lines[: 4 - len(shown)]]
    d.rng.shuffle(lines)
    for number, line in enumerate(lines):
        items.append(Text(left + 12, top + 22 + 28 * number, line, 17, (26, 26, 28)))
    x = left + 14.0
    while x < left + 190:
        width = d.pick((2, 3, 5))
        items.append(Rect((x, top + 128, x + width, top + 152), (20, 20, 20)))
        x += width + d.pick((2, 4))
    return Screen(PHOTO_WIDTH, PHOTO_HEIGHT, "photo", tuple(items))


def _parcel(d: Draw, *, damaged: bool) -> tuple[tuple[int, int], list[Parcel | Text | Rect]]:
    shift = (d.rng.randint(-22, 22), d.rng.randint(-18, 24))
    return shift, [Parcel(d.rng.randrange(2**31), damaged, shift, d.rng.randrange(3))]
