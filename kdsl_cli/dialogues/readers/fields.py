"""Values of a row, each fetched with the type it must have; `RowError` says what was there in its place."""

from __future__ import annotations

from collections.abc import Mapping

from kdsl_cli.dialogues.readers.rows import RepeatedKeys
from kdsl_cli.errors import did_you_mean

Record = Mapping[str, object]

_KINDS = ((bool, "true or false"), (str, "text"), (int, "a number"), (float, "a number"))


class RowError(Exception):
    """A row that cannot become a dialogue: what was found, what is allowed, the fix."""

    def __init__(self, what: str, allowed: str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.allowed = allowed
        self.fix = fix


def kind(value: object) -> str:
    """Return what `value` is, in words for an error.

    Examples
    --------
    >>> kind(None), kind([1]), kind({}), kind(3)
    ('null', 'a list', 'an object', 'a number')
    """
    if value is None:
        return "null"
    for type_, word in _KINDS:
        if isinstance(value, type_):
            return word
    return "a list" if isinstance(value, (list, tuple)) else "an object"


def require_record(value: object, what: str) -> Record:
    """Return `value` if it is a JSON object."""
    if not isinstance(value, Mapping):
        raise RowError(f"{what} is {kind(value)}", "a JSON object")
    return value


def text(row: Record, key: str) -> str:
    """Return the text under `key`, which must be there; it may be empty."""
    if key not in row:
        raise RowError(f"has no '{key}'", fix=did_you_mean(key, row) or f"Keys found: {', '.join(row)}")
    value = row[key]
    if not isinstance(value, str):
        raise RowError(f"'{key}' is {kind(value)}", "text")
    return value


def optional_text(row: Record, key: str) -> str | None:
    """Return the text under `key`; absent and null are both None, empty text is an error."""
    if row.get(key) is None:
        return None
    value = text(row, key)
    if not value.strip():
        raise RowError(f"'{key}' is empty", "text, or null where it is unknown")
    return value


def identifier(row: Record, default: str | None = None) -> str:
    """Return the row's id as text; numbers are taken as they are written."""
    value = row.get("id")
    if value is None and default is not None:
        return default
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    found = text(row, "id")
    if not found.strip() or found != found.strip() or "\n" in found:
        raise RowError(
            f"the id {found!r} is empty, or has spaces or line ends around it", "text that names one row"
        )
    return found


def listed(row: Record, key: str) -> list[object]:
    """Return the list under `key`, which must be there."""
    if key not in row:
        raise RowError(f"has no '{key}'", fix=did_you_mean(key, row) or f"Keys found: {', '.join(row)}")
    value = row[key]
    if not isinstance(value, list):
        raise RowError(f"'{key}' is {kind(value)}", "a list")
    return value


def picture_names(row: Record, *keys: str) -> tuple[str, ...]:
    """Return the pictures under the one of `keys` that is there: a list of paths or a single path."""
    present = [key for key in keys if row.get(key) is not None]
    if len(present) > 1:
        raise RowError(f"has both '{present[0]}' and '{present[1]}'", "one of them")
    if not present:
        return ()
    value = row[present[0]]
    names = value if isinstance(value, list) else [value] if value != "" else []
    for name in names:
        if not isinstance(name, str) or not name.strip():
            found = "an empty path" if isinstance(name, str) else kind(name)
            raise RowError(f"'{present[0]}' holds {found}", "a path, or a list of paths")
    return tuple(names)


def only(row: Record, allowed: tuple[str, ...], what: str = "the row") -> None:
    """Refuse keys that nobody would read."""
    for key in row:
        if key not in allowed:
            raise RowError(
                f"{what} has the unknown key '{key}'", ", ".join(allowed), did_you_mean(key, allowed)
            )


def unwritable(value: object) -> str | None:
    """Return what in a row could not be kept or written as UTF-8, or None if all is well."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, str):
            if "\0" in current:
                return "a text holds a NUL character"
            if not current.isascii() and any("\ud800" <= character <= "\udfff" for character in current):
                return "a text holds half a surrogate pair (a \\ud800-\\udfff escape on its own)"
        elif isinstance(current, Mapping):
            if isinstance(current, RepeatedKeys):
                return "a key stands twice in one object"
            waiting.extend(current)
            waiting.extend(current.values())
        elif isinstance(current, (list, tuple)):
            waiting.extend(current)
    return None
