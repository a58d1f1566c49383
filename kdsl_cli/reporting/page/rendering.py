"""The page as one file: filled templates, style and script within it, and a policy that runs nothing else.

What came from customers is never trusted: templates escape every value, the script writes text and never
markup (its policy asks the browser to hold it to that), and no address but the page's own pictures may be
opened.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kdsl_cli.reporting.summary import UNDEFINED, p_value

_PACKAGE: Final = "kdsl_cli.reporting.page"
_LINKED: Final = "'self' file:"
"""Where linked pictures lie: beside the page, which may be opened as a file or from a server."""


def render(context: dict[str, Any], *, linked_pictures: bool) -> str:
    """Return the page.

    Parameters
    ----------
    context
        What ``templates/page.html`` names.
    linked_pictures
        Whether pictures beside the page may be loaded.
    """
    style, script = asset("report.css"), asset("report.js")
    policy = [
        "default-src 'none'",
        f"img-src data: {_LINKED}" if linked_pictures else "img-src data:",
        f"style-src '{_digest(style)}'",
        f"script-src '{_digest(script)}'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
    page = (
        _environment()
        .get_template("page.html")
        .render(**context, policy="; ".join(policy), style=Markup(style), script=Markup(script))
    )
    # Half a surrogate pair, which JSON can bring in, is no character and cannot be written.
    return page.encode("utf-8", "replace").decode("utf-8")


def asset(name: str) -> str:
    """Return one of the page's own files."""
    return files(_PACKAGE).joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    environment.filters |= {"score": _score, "percent": _percent, "p_value": p_value, "size": _size}
    return environment


def _score(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    """Return a share of a length, for drawing: an undefined one is none."""
    return "0%" if value is None else f"{100 * value:.2f}%"


def _size(value: int | None) -> str:
    if value is None:
        return UNDEFINED
    return f"{value / 1e6:.1f} MB" if value >= 1e6 else f"{max(1, round(value / 1e3))} kB"


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
