"""Rule files: the only reader and writer of rules as YAML, and of conditions that stand alone.

The condition tree is the truth and YAML its notation: `loads(dump_rules(base)) == base`, a file edited by
hand is used as edited, and whatever a file gets wrong is told all at once, with the line.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from kdsl_cli.errors import RuleFileError
from kdsl_cli.logic.conditions import Condition
from kdsl_cli.logic.grammar import read_condition
from kdsl_cli.logic.merging import merge_base_rates, merge_rules, merged_base
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
    RuleBase(task='image-scene', rules=(), header='', base_rates=())
    """
    reader = NodeReader(str(path))
    read = read_file(reader, compose(text, str(path)), intents)
    if read is None or reader.problems:
        raise RuleFileError(reader.problems)
    return replace(read, header=_header(text))


def loads_condition(text: str, path: Path | str = "<text>") -> Condition:
    """Read the text of one condition, as it stands after `when` in a rule file; JSON is such a text too.

    Raises
    ------
    RuleFileError
        With every problem of the text, each with its line.

    Examples
    --------
    >>> loads_condition('{"not": {"count": {"of": "images", "gte": 2}}}')
    Not(child=CountPredicate(of='images', op='gte', value=2))
    """
    reader = NodeReader(str(path))
    condition = read_condition(reader, compose(text, str(path)))
    if condition is None or reader.problems:
        raise RuleFileError(reader.problems)
    return condition


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


def merge_into(text: str, base: RuleBase, path: Path | str = "<text>") -> str:
    """Return the text of a person's rule file, brought up to date with `base`.

    Comments, order, spacing and the header of the file stay. Rules that are reviewed or disabled in the file
    stay untouched, drafts that `base` does not have stay too; mined rules that it does not have go; what
    changed is written anew key by key, and new rules follow at the end. Base rates are merged like rules: a
    plain number is a mined one.

    Raises
    ------
    RuleFileError
        If the text is not a sound rule file, is of another task, or is laid out so that it cannot be merged.
    """
    lines = text.replace("\r\n", "\n")
    lines = lines if lines.endswith("\n") else lines + "\n"
    old = loads(lines, path)
    root = compose(lines, str(path))
    nodes = {key.value: value for key, value in root.value}
    if old.task != base.task:
        where = f"{path}:{nodes['task'].start_mark.line + 1}"
        raise RuleFileError(f"the file is of task '{old.task}', the rules are of '{base.task}'", where=where)
    wanted = merged_base(old, base)
    merged = merge_rules(lines, nodes["rules"], old.rules, wanted.rules)
    if wanted.base_rates != old.base_rates:
        merged = merge_base_rates(merged, compose(merged, str(path)), old.base_rates, wanted.base_rates)
    if loads(merged, path) != wanted:
        fix = "Write the rules to another file, or lay this one out as `kdsl export-rules` does"
        raise RuleFileError("the file's layout cannot be merged", where=str(path), fix=fix)
    return merged.replace("\n", "\r\n") if "\r\n" in text else merged
