from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from kdsl_cli.reporting.page import charts
from kdsl_cli.reporting.page.embedding import unpacked
from kdsl_cli.reporting.page.page import PART, page
from tests.reporting.page.made import EVIL, material


@pytest.fixture(scope="module", autouse=True)
def no_charts():
    """Curves take seconds: `test_charts.py` looks at them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "available", lambda: False)
        yield


@pytest.fixture(scope="module")
def html(no_charts):
    return page(material(10), {})


class Tags(HTMLParser):
    """Every element of a page, its attributes, and the text that scripts and styles hold."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.held = {}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.found and self.found[-1][0] in ("script", "style"):
            self.held.setdefault(len(self.found) - 1, data)

    def of(self, tag):
        return [
            (attrs, self.held.get(place, "")) for place, (name, attrs) in enumerate(self.found) if name == tag
        ]


def digest(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_customers_words_are_never_markup(html):
    assert "<script>hacked" not in html and "<b>quick" not in html
    assert html.count("hacked=1") > 3  # told, as text
    assert "shop &lt;&amp;&gt;" in html


def test_only_its_own_script_may_run_and_nothing_may_be_loaded(html):
    tags = Tags(html)
    (policy,) = [a["content"] for a, _ in tags.of("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    ((_, style),) = tags.of("style")
    (script,) = [text for attrs, text in tags.of("script") if "type" not in attrs]
    assert rules["default-src"] == "'none'" and rules["img-src"] == "data:"
    assert rules["script-src"] == f"'{digest(script)}'" and rules["style-src"] == f"'{digest(style)}'"
    assert "connect-src" not in rules


def test_no_attribute_carries_style_or_code_and_no_address_leads_away(html):
    for _, attrs in Tags(html).found:
        assert "style" not in attrs and not any(name.startswith("on") for name in attrs)
        for name in ("src", "href"):
            assert attrs.get(name, "#").startswith(("#", "data:"))


def test_linked_pictures_are_allowed_only_when_asked_for():
    assert "img-src data: &#39;self&#39; file:;" in page(material(10), {}, linked_pictures=True)


def test_the_data_inside_is_all_dialogues_in_parts():
    made = material(100)
    held = {a["id"]: text for a, text in Tags(page(made, {})).of("script") if "id" in a}
    rows = unpacked(held["rows"])
    assert rows["columns"]["id"] == made.predictions.frame["id"].to_list() and rows["part"] == PART
    parts = [unpacked(text) for id, text in held.items() if id.startswith("cards-")]
    assert [len(part) for part in parts] == [PART, made.predictions.frame.height - PART]
    assert unpacked(held["tree-0"])[0][1] == 5


def test_the_same_material_is_the_same_page(html):
    assert page(material(10), {}) == html


def test_half_a_character_does_not_keep_a_page_from_being_written():
    made = material(10, name="a\ud800b", warnings=["\udfff"])
    assert page(made, {}).encode("utf-8")


def test_warnings_are_at_the_top(html):
    assert "a rule file was edited: &lt;script&gt;" in html


def test_without_the_extra_it_says_how_to_get_the_curves(html):
    assert "pip install 'kdsl-cli[report]'" in html


def test_what_is_not_there_is_not_shown():
    bare = material(10, facts={}, dialogues={}, bases={}, searches=(), warnings=())
    html = page(bare, {})
    assert 'id="search"' not in html and 'id="runs"' not in html and "scene" in html


def test_rules_that_erred_lead_to_where_they_fired(html):
    assert re.search(r'href="#list\?task=scene&amp;rule=r-refund"', html)
    assert EVIL not in html
