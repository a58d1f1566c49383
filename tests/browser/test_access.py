"""The page for everyone: by keyboard alone, and by the rules that axe-core checks."""

from __future__ import annotations

import pytest

from tests.browser.test_page import ids, nothing_wrong, open_card

SERIOUS = ("serious", "critical")


def focused(view):
    return view.page.evaluate(
        "[document.activeElement.id, document.activeElement.textContent.trim().slice(0, 40)]"
    )


def tab_to(view, selector, at_most=200):
    for _ in range(at_most):
        view.page.keyboard.press("Tab")
        if view.page.evaluate(f"document.activeElement.matches({selector!r})"):
            return
    pytest.fail(f"{selector} is not reached by Tab")


def test_by_keyboard_alone_from_the_top_to_the_reasons_of_a_card(show):
    view = show()
    view.page.keyboard.press("Tab")
    assert focused(view)[1] == "To the content"
    tab_to(view, ".matrix .wrong a")
    view.page.keyboard.press("Enter")
    view.page.wait_for_selector("#count:focus")
    tab_to(view, "#dialogues summary", at_most=1)
    view.page.keyboard.press("Enter")
    view.page.wait_for_selector(".card .told")
    tab_to(view, ".rule summary")
    view.page.keyboard.press("Enter")
    assert view.page.locator(".rule").first.evaluate("one => one.open") is False
    assert nothing_wrong(view)


def test_by_keyboard_alone_through_filter_tree_and_theme(show):
    view = show()
    tab_to(view, "#theme")
    view.page.keyboard.press("Space")
    assert view.page.get_attribute("html", "data-theme") == "dark"
    tab_to(view, "#tree-shown summary")
    view.page.keyboard.press("Enter")
    tab_to(view, "#f-text")
    view.page.keyboard.type("s01")
    assert ids(view) == [f"s01{digit}" for digit in range(10)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_serious(show, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    # The checker is a script of its own, which the page's policy would not let in.
    view = show(width=width, color_scheme=scheme, bypass_csp=True)
    for id in ("c0", "s000", "x-failed"):
        view.page.fill("#f-text", id)
        open_card(view, id)
        found = Axe().run(view.page).response["violations"]
        serious = [
            (one["id"], one["nodes"][0]["html"], one["nodes"][0].get("failureSummary"))
            for one in found
            if one["impact"] in SERIOUS
        ]
        assert serious == []
