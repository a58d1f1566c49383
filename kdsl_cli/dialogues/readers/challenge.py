"""The WWW2025 MDSIRC challenge: ``{"id", "instruction", "image", "output"}``, the prompt in ``instruction``.

A row whose instruction holds a dialogue between the markers START and END becomes that dialogue; any other
row is a picture to be classified, and becomes one turn of pictures. The prompt itself (the expert's role,
the list of labels) is not part of what the customer sent and is left out. A test row has no ``output``, so
no label.
"""

from __future__ import annotations

import re

from kdsl_cli.dialogues.readers.fields import Record, RowError, identifier, optional_text, picture_names, text
from kdsl_cli.dialogues.readers.marks import hand_out
from kdsl_cli.dialogues.readers.options import ReaderOptions
from kdsl_cli.dialogues.schema import IMAGE_MARK, Dialogue, Role, Turn

_SPEAKER = re.compile(r"[ \t\u3000]*(用户|客服)[ \t\u3000]*[:：][ \t\u3000]*")
_ROLES: dict[str, Role] = {"用户": "customer", "客服": "service"}

# A marker is START or END with brackets, a colon or words before it on its line ("<对话 START>:"). Prose
# that names both markers ("between START and END") holds no START: after that the line ends or a turn begins.
_CLOSERS = r"[>＞\]】)）」》]"
_START = re.compile(rf"(?<![A-Za-z])START(?![A-Za-z])(?:[ \t\u3000:：*#=-]|{_CLOSERS})*(?=\r?\n|$|用户|客服)")
_END = re.compile(rf"(?<![A-Za-z])END(?![A-Za-z])(?:[ \t]*{_CLOSERS}|[ \t\u3000:：*#=-]*(?=\r?\n|$))")
_BEFORE_END = re.compile(r"(?:[<＜\[【(（「《][^<>＞\]】)）」》]*|^[ \t\u3000*#=-]+)$")


def parse(row: Record, default_id: str, options: ReaderOptions) -> Dialogue:
    """Return the dialogue of one row; a row without id takes `default_id`.

    Raises
    ------
    RowError
        Saying what is wrong with the row.
    """
    instruction = text(row, "instruction")
    extra = optional_text(row, "input") if row.get("input") != "" else None
    prompt = instruction if extra is None else f"{instruction}\n{extra}"
    images = picture_names(row, "image", "images")
    inside = between_markers(prompt)
    if inside is None:
        task, turns = options.image_task, _pictures(prompt, images)
    else:
        task, turns = options.dialogue_task, hand_out(spoken(inside), images)
    label = optional_text(row, "output")
    return Dialogue(
        identifier(row, default_id), options.task or task, turns, label=label.strip() if label else None
    )


def between_markers(prompt: str) -> str | None:
    r"""Return the text between START and END, or None where there is no such dialogue.

    Raises
    ------
    RowError
        If one of the two markers is missing.

    Examples
    --------
    >>> between_markers("判断意图。对话内容：<START>\n用户: 在吗\n<END>\n只输出标签")
    '用户: 在吗'
    """
    start = _START.search(prompt)
    end = _END.search(prompt, start.end() if start else 0)
    if start is None:
        if end is not None and any(_SPEAKER.match(line) for line in _lines(prompt)):
            raise RowError("the instruction has a dialogue and END, but no START", "START ... END around it")
        return None
    if end is None:
        raise RowError("the instruction has START, but no END", "START ... END around the dialogue")
    head = prompt[prompt.rfind("\n", 0, start.start()) + 1 : start.start()]
    kept, _, tail = prompt[start.end() : end.start()].rpartition("\n")
    tail = "" if tail.strip() == head.strip() else _BEFORE_END.sub("", tail)
    return f"{kept}\n{tail}".strip()


def spoken(body: str) -> list[tuple[Role, str]]:
    r"""Return who said what; a line without a speaker goes on with the turn above it.

    Raises
    ------
    RowError
        If there is no turn, or text before the first one.

    Examples
    --------
    >>> spoken("用户：你好\n在吗\n客服:\n")
    [('customer', '你好\n在吗'), ('service', '')]
    """
    turns: list[tuple[Role, list[str]]] = []
    for line in _lines(body):
        speaker = _SPEAKER.match(line)
        if speaker:
            turns.append((_ROLES[speaker.group(1)], [line[speaker.end() :]]))
        elif turns:
            turns[-1][1].append(line)
        elif line.strip():
            raise RowError(
                f"the dialogue begins with {line.strip()[:30]!r}", "lines that begin with 用户: or 客服:"
            )
    if not turns:
        raise RowError("there is nothing between START and END", "lines that begin with 用户: or 客服:")
    return [(role, "\n".join(lines).strip()) for role, lines in turns]


def _lines(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


def _pictures(prompt: str, images: tuple[str, ...]) -> tuple[Turn, ...]:
    if not images:
        raise RowError("has neither a picture nor a dialogue between START and END", "one of them")
    marks = prompt.count(IMAGE_MARK)
    if marks not in (0, len(images)):
        raise RowError(
            f"{marks} {IMAGE_MARK} in the instruction, but {len(images)} pictures",
            f"one {IMAGE_MARK} for each picture, or none at all",
        )
    return (Turn("customer", IMAGE_MARK * len(images), images),)
