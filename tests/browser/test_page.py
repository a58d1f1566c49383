"""What a person does with the page: opens it, looks, filters, and goes from a number to its dialogues."""

from __future__ import annotations

import pytest

from tests.reporting.page.made import EVIL


def says(view, text):
    """Wait until so many dialogues are listed (a policy without eval leaves Playwright no other way)."""
    from playwright.sync_api import expect

    expect(view.page.locator("#count")).to_have_text(text)


def ids(view):
    return view.page.eval_on_selector_all("#dialogues .id", "all => all.map(one => one.textContent)")


def open_card(view, id):
    view.page.click(f"#dialogues summary:has(.id:text-is('{id}'))")
    view.page.wait_for_selector("#dialogues .card .told")
    return view.page.locator(f"#dialogues li:has(.id:text-is('{id}')) .card")


def nothing_wrong(view):
    return (
        view.wrong == []
        and [url for url in view.requests if not url.startswith(("data:", "blob:"))][1:] == []
    )


def test_it_opens_from_a_file_without_an_error_or_a_request(show):
    view = show()
    says(view, "All 68 dialogues")
    open_card(view, "s000")
    assert nothing_wrong(view)


def test_what_customers_write_is_shown_and_never_run(show):
    view = show(fragment="#list?task=chat")
    card = open_card(view, "c0")
    assert card.locator(".bubble.customer").count() == 2 and card.locator(".bubble.service").count() == 2
    assert "nothing written" in card.locator(".bubble.service").nth(1).inner_text()
    assert EVIL in card.inner_text() and "<b>quick</b>" in card.inner_text()
    assert view.page.evaluate("typeof hacked") == "undefined"
    assert nothing_wrong(view)


def test_markup_cannot_be_written_even_by_the_script_itself(show):
    view = show()
    written = "try { document.body.innerHTML = '<i>x</i>'; 'written' } catch (error) { error.name }"
    assert view.page.evaluate(written) == "TypeError"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("text", "be quick", 4),
        ("text", "S00", 10),
        ("task", "chat", 4),
        ("label", "parcel", 31),
        ("said", "退款", 37),
        ("state", "wrong", 7),
        ("state", "right", 58),
        ("state", "abstained", 1),
        ("state", "failed", 1),
        ("state", "unlabelled", 1),
        ("sides", "not-rules", 0),
        ("by", "both", 66),
        ("rule", "r-hurry", 4),
        ("rule", "nothing of that name", 0),
    ],
)
def test_the_filter_leaves_what_is_asked_for(show, field, value, expected):
    view = show()
    element = view.page.locator(f"#f-{field}")
    if element.evaluate("one => one.tagName") == "SELECT":
        element.select_option(value)
    else:
        element.fill(value)
    says(view, f"{expected} of 68 dialogues")
    assert view.page.url.partition("#")[2].startswith(f"list?{field}=")
    view.page.click("button[type=reset]")
    says(view, "All 68 dialogues")


def test_long_lists_are_shown_bit_by_bit(show):
    view = show()
    assert len(ids(view)) == 50
    view.page.click("#more")
    assert len(ids(view)) == 68 and view.page.locator("#more").is_hidden()


def test_from_a_cell_of_the_matrix_to_the_card_and_its_evidence(show):
    view = show()
    cell = view.page.locator(".matrix .wrong a").first
    wanted = cell.inner_text()
    cell.click()
    says(view, f"{wanted} of 68 dialogues")
    card = open_card(view, ids(view)[0])
    assert "parcel taken for 退款" in view.page.inner_text("#dialogues summary >> nth=0")
    box = card.locator(".frame .box").bounding_box()
    image = card.locator(".frame img").bounding_box()
    assert image["width"] > 50
    left, top = (box["x"] - image["x"]) / image["width"], (box["y"] - image["y"]) / image["height"]
    assert left == pytest.approx(0.25, abs=0.03) and top == pytest.approx(0.08, abs=0.03)
    assert "“退款” in picture 1" in card.locator(".tree").inner_text()
    assert card.locator(".sides tr").count() == 3
    assert nothing_wrong(view)


def test_matched_words_are_marked_where_they_stand(show):
    card = open_card(show(fragment="#list?task=chat"), "c1")
    marks = card.locator("mark")
    assert marks.count() == 2
    assert marks.first.evaluate("one => one.lastChild.textContent") == "quick"


def test_the_rule_that_was_asked_for_is_unfolded_beside_the_first(show):
    card = open_card(show(fragment="#list?rule=r-evil"), "x-evil")
    assert card.locator(".rule[open]").count() == 2
    assert "</script>" in card.locator(".rule[open]").nth(1).inner_text()


def test_going_back_is_going_back(show):
    view = show()
    view.page.click(".matrix .wrong a >> nth=0")
    says(view, "6 of 68 dialogues")
    view.page.click(".matrix .right a >> nth=0")
    says(view, "30 of 68 dialogues")
    view.page.go_back()
    says(view, "6 of 68 dialogues")


def test_a_search_tree_unfolds(show):
    view = show()
    view.page.wait_for_selector("#tree-shown .draft >> nth=1")
    tree = view.page.locator("#tree-shown")
    assert "in the rules" not in tree.inner_text()
    tree.locator("summary").nth(1).click()
    tree.locator(".fate-2").wait_for()
    assert "in the rules" in tree.inner_text() and "worth 0.75" in tree.inner_text()
    assert nothing_wrong(view)


def test_linked_pictures_are_the_files_beside_it(show):
    view = show("linked")
    card = open_card(view, "s000")
    card.locator("img").evaluate("one => one.decode()")
    assert card.locator("img").evaluate("one => one.naturalWidth") == 120
    assert view.wrong == [] and all(url.startswith(("file:", "data:")) for url in view.requests)


def test_the_theme_follows_the_system_until_someone_chooses(show):
    view = show(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = view.page.evaluate(ground)
    view.page.click("#theme")
    assert view.page.evaluate(ground) != dark
    view.page.reload()
    view.page.wait_for_selector("#count:not(:empty)")
    assert view.page.evaluate(ground) != dark
    assert view.page.get_attribute("#theme", "aria-pressed") == "false"


def test_on_paper_there_is_no_filter_and_every_open_card(show):
    view = show(color_scheme="dark")
    open_card(view, "s000")
    view.page.emulate_media(media="print")
    assert view.page.locator("#filter").is_hidden() and view.page.locator("nav").is_hidden()
    assert view.page.locator(".told").first.is_visible()
    assert view.page.locator("#dialogues > li").nth(3).is_hidden()
    assert view.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("id", ["s000", "c0", "x-failed"])  # c0 holds an address without a place to break it
def test_nothing_is_wider_than_the_screen(show, id, width):
    view = show(width=width, fragment=f"#list?text={id}")
    open_card(view, id)
    assert view.page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_a_cell_of_the_matrix_leads_to_the_dialogues_and_not_to_the_filter_above_them(show):
    view = show(width=360)
    view.page.click(".matrix .wrong a >> nth=0")
    says(view, "6 of 68 dialogues")
    assert 0 <= view.page.locator("#dialogues summary").first.bounding_box()["y"] < 200
