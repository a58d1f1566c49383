"""Rule files: the only reader and writer of rules as YAML.

The condition tree is the truth and YAML its notation: `loads(dump_rules(base)) == base`, a file edited by
hand is used as edited, and whatever a file gets wrong is told all at once, with the line.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import takewhile
from pathlib import Path

from kdsl_cli.errors import RuleFileError
from kdsl_cli.logic.reading import read_file
from kdsl_cli.logic.rule import RuleBase
from kdsl_cli.logic.writing import write_base
from kdsl_cli.logic.yaml_nodes import NodeReader, compose


def load_rules(path: Path, *, intents: Collection[str] | None = None) -> RuleBase:
    """Read a rule file.

    Parameters
    ----------
    path
        The file, UTF-8.
    intents
        Names that a rule's intent may have. None: any.

    Raises
    ------
    RuleFileError
        With every problem of the file, each with its line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        fix = "Save the file as UTF-8"
        raise RuleFileError("the file is not UTF-8 text", where=f"{path}:{line}", fix=fix) from None
    except OSError as error:
        raise RuleFileError(f"the file cannot be read: {error.strerror}", where=str(path)) from None
    return loads(text, path=path, intents=intents)


def loads(text: str, path: Path | str = "<text>", *, intents: Collection[str] | None = None) -> RuleBase:
    r"""Read the text of a rule file; `path` is for messages. The rest is as in `load_rules`.

    Examples
    --------
    >>> loads('schema: "kdsl.rules/1"\ntask: "image-scene"\nrules: []\n')
    RuleBase(task='image-scene', rules=(), header='')
    """
    reader = NodeReader(str(path))
    read = read_file(reader, compose(text, str(path)), intents)
    if read is None or reader.problems:
        raise RuleFileError(reader.problems)
    task, rules = read
    return RuleBase(task, rules, _header(text))


def dump_rules(base: RuleBase) -> str:
    """Return the text of a rule file: stable byte for byte, and read back as an equal `RuleBase`.

    Examples
    --------
    >>> from kdsl_cli.logic.predicates import OcrPredicate
    >>> from kdsl_cli.logic.rule import Rule
    >>> rule = Rule("refund-1", "退款页面", OcrPredicate("contains", ("退款",), "top"), why="It says so.")
    >>> print(dump_rules(RuleBase("image-scene", (rule,))), end="")
    schema: "kdsl.rules/1"
    task: "image-scene"
    rules:
    - id: "refund-1"
      intent: "退款页面"
      status: "draft"
      when:
        ocr: {contains: "退款", region: "top"}
      why: "It says so."
    """
    return write_base(base)


def _header(text: str) -> str:
    lines = takewhile(lambda line: line.startswith("#"), text.splitlines())
    return "\n".join(line[1:].removeprefix(" ") for line in lines)
