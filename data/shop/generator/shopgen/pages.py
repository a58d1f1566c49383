"""Pages that words tell apart, once one knows which words, where, and together with what.

Each builder draws the signs of its intent (see `truth/shop-page.yaml`) among rows that any page may
show, and now and then a sign of another intent in a place where it means nothing.
"""

from __future__ import annotations

from shopgen.draw import Draw
from shopgen.layout import BAR_TOP, WIDTH, Page, theme
from shopgen.screen import Screen

Row = tuple[str, str]
LOOSE = 0.06
"""Share of samples that carry no sign of their intent, where that leaves no other rule wrong."""


def order_detail(d: Draw) -> Screen:
    """Lay out an order after payment: "Order details" stands at its top, at the foot of others."""
    rows = _sometimes(
        d,
        [
            ("place_time", d.date(), 0.4),
            ("receiver", d.word("person"), 0.4),
            (d.pick(("e_invoice", "e_invoice", "tax_id")), d.word("personal"), 0.45),
        ],
    )
    title = d.word("title") if d.chance(LOOSE) else d.word("order_details")
    notes = [d.word("return_promise")] if d.chance(0.5) else []
    return _page(
        d, title, (d.word("paid_state"), d.word("state_note")), rows, notes, _buttons(d, at_foot=0.0)
    )


def order_confirm(d: Draw) -> Screen:
    """Lay out the page before payment: its button says so at the foot."""
    rows = _sometimes(
        d,
        [
            ("receiver", d.word("person"), 0.4),
            ("coupon_row", f"-¥{d.rng.randint(3, 40)}", 0.6),
            (d.pick(("invoice_title", "invoice_title", "tax_id")), d.word("personal"), 0.45),
        ],
    )
    notes = [d.word("return_promise")] if d.chance(0.3) else []
    button = d.word("button") if d.chance(LOOSE) else d.word("submit")
    return _page(
        d, d.word("title"), None, rows, notes, [button], f"{d.word('total')} {d.price()}", products=2
    )


def parcel_tracking(d: Draw) -> Screen:
    """Show where the parcel is."""
    state = d.word("state") if d.chance(LOOSE) else d.word("moving")
    rows = _sometimes(d, [("waybill", d.code(), 0.7), ("receiver", d.word("person"), 0.25)])
    gap = "" if d.lang == "zh" else " "
    stops = [(f"{d.word('arrived')}{gap}{d.word('city')}", d.date()[:5]) for _ in range(d.rng.randint(2, 4))]
    return _page(
        d, d.word("title"), (state, d.word("state_note")), rows, [], _buttons(d, at_foot=0.5), extra=stops
    )


def refund_progress(d: Draw) -> Screen:
    """Show money back and the goods kept: the same words as a return, but for those about the goods."""
    rows = _money_back(d, amount=not d.chance(LOOSE))
    return _page(
        d, d.word("title"), (d.word("state"), d.word("state_note")), rows, [], _buttons(d, at_foot=0.4)
    )


def return_progress(d: Draw) -> Screen:
    """Show money back for goods sent back."""
    rows = [*_money_back(d, amount=True), (d.word("send_back"), d.word("city"))]
    return _page(
        d, d.word("title"), (d.word("state"), d.word("state_note")), rows, [], _buttons(d, at_foot=0.4)
    )


def coupon_list(d: Draw) -> Screen:
    """List coupons, each with its worth; whether it may still be had stands on the ticket."""
    page = _start(d, d.word("title"))
    sign, loose = d.word("voucher"), d.chance(LOOSE)
    if d.chance(0.35):
        page.note(d.word("pay_note"))
    for number in range(d.rng.randint(3, 4)):
        top = page.card(d.rng.randint(98, 122))
        page.text(28, top + 34, f"¥{d.rng.randint(3, 60)}", 26, bold=True, colour=page.theme.accent)
        if not loose and (number == 0 or d.chance(0.6)):
            page.text(122, top + 26, sign, 16, bold=True)
        page.text(122, top + 50, d.word("coupon_rule"), 14, faint=True)
        page.text(122, top + 74, f"{d.word('valid_to')} {d.date()[:5]}", 14, faint=True)
        page.text(WIDTH - 30, top + 34, d.word("use"), 14, anchor="r", colour=page.theme.accent)
    if d.chance(0.35):
        page.note(d.word("return_promise"))
    if d.chance(0.6):
        page.bottom(_buttons(d, at_foot=0.2))
    return page.screen()


def invoice_page(d: Draw) -> Screen:
    """Lay out an invoice: any one of its three words is elsewhere too, two of them are not."""
    signs = [("invoice_title", d.word("company")), ("tax_id", d.code(10)), ("e_invoice", d.word("personal"))]
    if d.chance(0.4):
        signs.pop(d.rng.randrange(3))
    rows = [(d.word(key), value) for key, value in signs]
    return _page(
        d, d.word("title"), (d.word("state"), d.word("state_note")), rows, [], _buttons(d, at_foot=0.4)
    )


def _page(
    d: Draw,
    title: str,
    banner: tuple[str, str] | None,
    rows: list[Row],
    notes: list[str],
    buttons: list[str],
    left_text: str | None = None,
    extra: list[Row] | None = None,
    products: int = 1,
) -> Screen:
    page = _start(d, title)
    if banner:
        page.banner(*banner)
    rows = [*rows, *_neutral(d, max(1, 5 - len(rows)))]
    d.rng.shuffle(rows)
    blocks = [lambda: page.rows(rows), *([page.product] * products)]
    if extra:
        blocks.append(lambda: page.rows(extra))
    d.rng.shuffle(blocks)
    for block in blocks:
        block()
    for note in notes:
        page.note(note)
    if page.y < BAR_TOP - 150 and d.chance(0.8):
        page.note(d.word("recommend"))
        page.product()
    page.bottom(buttons, left_text)
    return page.screen()


def _start(d: Draw, title: str) -> Page:
    page = Page(d, theme(d))
    page.status_bar()
    page.title_bar(title)
    return page


def _money_back(d: Draw, *, amount: bool) -> list[Row]:
    rows = [(d.word("refund_amount"), d.price())] if amount else []
    return [
        *rows,
        *_sometimes(
            d,
            [
                ("refund_no", d.code(8), 0.7),
                ("reason", d.word("reason_value"), 0.7),
                ("applied", d.date(), 0.7),
            ],
        ),
    ]


def _sometimes(d: Draw, rows: list[tuple[str, str, float]]) -> list[Row]:
    return [(d.word(key), value) for key, value, probability in rows if d.chance(probability)]


def _neutral(d: Draw, count: int) -> list[Row]:
    rows = [
        (d.word("payment"), d.word("payment_value")),
        (d.word("delivery"), d.word("delivery_value")),
        (d.word("remark"), d.word("remark_value")),
        (d.word("points"), f"+{d.rng.randint(3, 90)}"),
        (d.word("shop"), d.brand()),
        (d.word("made_on"), d.date()),
    ]
    return d.some(rows, count)


def _buttons(d: Draw, *, at_foot: float) -> list[str]:
    buttons = d.some(d.words("button"), d.rng.randint(1, 3))
    if d.chance(at_foot):
        buttons[d.rng.randrange(len(buttons))] = d.word("order_details")
    return buttons
