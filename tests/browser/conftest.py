"""A page in a real Chromium, Debian's, driven by Playwright. Where either is missing, all is skipped.

``nox -s browser`` installs what they need, and skips nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kdsl_cli.reporting.page.page import page
from kdsl_cli.reporting.page.pictures import picture_sources
from tests.reporting.page.made import draw_pictures, material

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if os.environ.get("KDSL_BROWSER") != "required":
        pytest.importorskip("playwright", reason="the extra `browser` is not installed")
        if CHROMIUM is None:
            pytest.skip("there is no Chromium here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Without a sandbox of its own: CI is root in a container, and the page is ours.
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same evaluation as a page with copies of its pictures, and one with links to them."""
    made, place = material(60), tmp_path_factory.mktemp("page")
    draw_pictures(place, made)
    names = [name for dialogue in made.dialogues.values() for name in dialogue.images]
    for show in ("thumbnails", "linked"):
        path = place / f"{show}.html"
        sources = picture_sources(names, place, show=show, page=path)
        path.write_text(page(made, sources, linked_pictures=show == "linked"), encoding="utf-8")
    return place


@dataclass
class View:
    """A page on the screen, with all that went wrong and all that was asked for since it was opened."""

    page: Any
    wrong: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Show = Callable[..., View]


@pytest.fixture
def show(browser: Any, folder: Path) -> Iterator[Show]:
    """Open a page: `show(name, fragment, width=..., scheme=...)`."""
    contexts = []

    def opened(name: str = "thumbnails", fragment: str = "", *, width: int = 1280, **options: Any) -> View:
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        view = View(context.new_page())
        view.page.on("console", lambda message: view.wrong.append(f"{message.type}: {message.text}"))
        view.page.on("pageerror", lambda error: view.wrong.append(str(error)))
        view.page.on("dialog", lambda dialog: view.wrong.append("dialog"))
        view.page.on("request", lambda request: view.requests.append(request.url))
        view.page.goto((folder / f"{name}.html").as_uri() + fragment)
        view.page.wait_for_selector("#count:not(:empty)")
        return view

    yield opened
    for context in contexts:
        context.close()
