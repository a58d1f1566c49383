"""Check the pages: links lead to files and headings that are there, quoted `kdsl` commands exist.

python docs/check_pages.py

Looks at README.md, CHANGELOG.md and every page under docs, rules and data. A command is looked for in code
alone; its verb and its options are held against the program itself.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kdsl_cli.commands import app as program

ROOT = Path(__file__).resolve().parent.parent

_FENCE = re.compile(r"^ *```")
_INLINE_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"(?<![\w-])kdsl((?: +(?:--?)?[A-Za-z][^\s`|;&]*)+)")


def pages() -> list[Path]:
    """Return every page, in order."""
    folders = (ROOT / name for name in ("docs", "rules", "data"))
    below = sorted(page for folder in folders for page in folder.rglob("*.md"))
    return [*sorted(ROOT.glob("*.md")), *below]


def problems(page: Path) -> Iterator[str]:
    """Yield what is wrong on a page, each with its line."""
    fenced = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if _FENCE.match(line):
            fenced = not fenced
            continue
        prose, code = ("", [line]) if fenced else (_INLINE_CODE.sub("", line), _INLINE_CODE.findall(line))
        wrong = [_wrong_link(target, page) for target in _LINK.findall(prose)]
        wrong += [_wrong_command(words) for part in code for words in _COMMAND.findall(part)]
        yield from (f"{page.relative_to(ROOT)}:{number}: {told}" for told in wrong if told)


def _wrong_link(target: str, page: Path) -> str | None:
    if target.startswith(("http://", "https://", "mailto:")):
        return None  # nothing here asks the network
    name, _, heading = target.partition("#")
    file = page.parent / name if name else page
    if not file.exists():
        return f"the link leads to {name}, which is not there"
    if heading and heading not in _headings(file):
        return f"{file.name} has no heading #{heading}"
    return None


def _headings(page: Path) -> set[str]:
    """Return the headings of a page as GitHub names them in links."""
    titles = re.findall(r"^#+ +(.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def _wrong_command(text: str) -> str | None:
    command: Any = typer.main.get_command(program.app)
    path, known = ["kdsl"], _options(command)
    for word in text.split():
        if word.startswith("-"):
            option = word.partition("=")[0].rstrip(".,)")
            if option not in known:
                return f"`{' '.join(path)}` has no option {option}"
        elif hasattr(command, "list_commands") and word.islower():
            name = word.rstrip(".,:)")
            below = command.get_command(None, name)
            if below is None:
                return f"there is no command `{' '.join([*path, name])}`"
            command = below
            path.append(name)
            known |= _options(command)
    return None


def _options(command: Any) -> set[str]:
    named = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    return named | {"-h", "--help"}


def main() -> int:
    """Print every problem; return 1 if there is one."""
    found = [problem for page in pages() for problem in problems(page)]
    sys.stderr.writelines(f"{problem}\n" for problem in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
