from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from evidence.drawing import encoded, photo, screen
from evidence.interrupted import extract
from evidence.tasks import ENGINE, make_obey, make_see
from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.errors import EvidenceError
from kdsl_cli.evidence.extract import (
    Seen,
    Tally,
    facts_of,
    find_pictures,
    read_into,
    reading_task,
    seen_in,
    tally,
    to_read,
    turn_facts,
)
from kdsl_cli.evidence.ocr import engine_id
from kdsl_cli.evidence.store import Observation, Store


def dialogue(id: str, *images: str) -> Dialogue:
    return Dialogue(id, "image-scene", (Turn("customer", "<image>" * len(images), images),))


def seen_of(
    root: Path,
    dialogues: list[Dialogue],
    *,
    retry_failed: bool = False,
    make: Callable[[], Callable[[str], Observation]] = make_see,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Seen, Tally]:
    pictures = find_pictures(dialogues, root)
    with Store(root / "observations.jsonl") as store:
        todo = to_read(pictures, store, ENGINE, retry_failed=retry_failed)
        read_into(store, todo, make, workers=workers, progress=progress)
        seen = seen_in(pictures, store, ENGINE)
    return seen, tally(seen, todo)


def test_turns_keep_order_role_and_links_and_lose_picture_marks() -> None:
    turns = (
        Turn("customer", "<image> 坏了 <image>", ("1.png", "2.png")),
        Turn("service", "<http> 看这里"),
        Turn("customer", ""),
    )
    facts = turn_facts(Dialogue("a", "t", turns))
    assert [(fact.seq, fact.role, fact.text) for fact in facts] == [
        (0, "customer", "坏了"),
        (1, "service", "<http> 看这里"),
        (2, "customer", ""),
    ]


def test_pictures_without_a_file_are_told_apart_from_read_ones(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"A")
    (tmp_path / "folder").mkdir()
    found = find_pictures([dialogue("d", "a.png", "none.png", "folder", "nul\0")], tmp_path)
    assert list(found.digests) == [tmp_path / "a.png"]
    assert found.missing[tmp_path / "none.png"] == "no such file"
    assert found.missing[tmp_path / "folder"] == "cannot be opened: Is a directory"
    assert "no file can have this name" in found.missing[tmp_path / "nul\0"]


@pytest.mark.slow
def test_a_picture_is_read_once_however_often_it_is_shown(tmp_path: Path) -> None:
    for name in ("a.png", "copy.png"):
        (tmp_path / name).write_bytes(b"A")
    (tmp_path / "b.png").write_bytes(b"B")
    dialogues = [dialogue("1", "a.png", "b.png"), dialogue("2", "copy.png", "a.png", "none.png")]
    calls: list[tuple[int, int]] = []
    seen, counted = seen_of(tmp_path, dialogues, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 2), (2, 2)]
    assert counted == Tally(ok=2, failed=1, cached=0)
    facts = facts_of(dialogues[1], tmp_path, seen)
    assert [(line.image, line.text) for line in facts.ocr] == [(0, "A"), (1, "A")]
    assert [image.error for image in facts.images] == [None, None, "no such file"]
    assert facts.unread
    assert seen_of(tmp_path, dialogues)[1] == Tally(ok=2, failed=1, cached=2)


@pytest.mark.slow
def test_failures_are_read_again_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\xff")  # no text in UTF-8
    dialogues = [dialogue("1", "bad.png")]
    seen, counted = seen_of(tmp_path, dialogues)
    assert counted == Tally(ok=0, failed=1, cached=0)
    assert "UnicodeDecodeError" in (seen[tmp_path / "bad.png"].error or "")
    seen_of(tmp_path, dialogues, make=_must_not_start)
    with pytest.raises(EvidenceError, match="could not start"):
        seen_of(tmp_path, dialogues, make=_must_not_start, retry_failed=True)


@pytest.mark.slow
def test_a_picture_that_changes_while_it_is_read_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"A")
    pictures = find_pictures([dialogue("1", "a.png")], tmp_path)
    (tmp_path / "a.png").write_bytes(b"B")
    with Store(tmp_path / "observations.jsonl") as store:
        with pytest.raises(EvidenceError, match="changed while it was read"):
            read_into(store, to_read(pictures, store, ENGINE), make_see, workers=1)
        assert len(store) == 0


@pytest.mark.slow
def test_a_stop_keeps_what_was_read(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.png").write_bytes(b"%d" % number)
    pictures = find_pictures([dialogue("1", *(f"{number}.png" for number in range(20)))], tmp_path)
    with Store(tmp_path / "observations.jsonl") as store:
        todo = to_read(pictures, store, ENGINE)
        with pytest.raises(KeyboardInterrupt):
            read_into(store, todo, make_see, workers=2, stop=lambda: len(store) >= 5)
        assert 5 <= len(store) <= 6
    with Store(tmp_path / "observations.jsonl") as store:
        assert len(to_read(pictures, store, ENGINE)) == 20 - len(store)


@pytest.mark.slow
def test_a_kill_loses_only_the_pictures_in_work_and_changes_no_byte_of_the_outcome(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
        for number in range(100):
            (folder / f"{number:03}.png").write_bytes(b"picture %d" % number)
    assert extract(whole) == 100

    paths = [str(Path(__file__).parents[1]), *sys.path]
    run = subprocess.Popen(
        [sys.executable, "-m", "evidence.interrupted", str(killed)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    log = killed / "observations.jsonl"
    while run.poll() is None and (not log.exists() or log.read_bytes().count(b"\n") < 10):
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    kept = log.read_bytes().count(b"\n")
    assert 10 <= kept < 100
    assert not (killed / "train.parquet").exists()

    assert extract(killed) == 100 - kept
    assert (killed / "train.parquet").read_bytes() == (whole / "train.parquet").read_bytes()


@pytest.mark.slow
def test_two_processes_see_what_one_sees_and_bad_pictures_say_why(tmp_path: Path) -> None:
    (tmp_path / "screen.png").write_bytes(encoded(screen("Refund 128.50")))
    (tmp_path / "photo.jpg").write_bytes(encoded(photo(), "JPEG"))
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "torn.jpg").write_bytes(encoded(screen("x"), "JPEG")[:900])
    shown = dialogue("1", "screen.png", "photo.jpg", "empty.png", "torn.jpg")
    pictures = find_pictures([shown], tmp_path)
    engine = engine_id(640)
    found = []
    for workers in (1, 2):
        with Store(tmp_path / f"{workers}.jsonl") as store:
            read_into(store, to_read(pictures, store, engine), reading_task(640), workers=workers)
            found.append(facts_of(shown, tmp_path, seen_in(pictures, store, engine)))
    facts = found[0]
    assert found[1] == facts
    assert [line.text for line in facts.ocr] == ["Refund 128.50"]
    assert [image.kind for image in facts.images] == ["screenshot", "photo", None, None]
    assert facts.images[0].features["line_count"] == 1
    assert facts.images[2].error == "empty file"
    assert (facts.images[3].error or "").startswith("broken picture")


def _must_not_start() -> Callable[[str], Observation]:
    raise RuntimeError("nothing was to be read")


def test_what_is_pickled_for_a_process_stays_small() -> None:
    import pickle

    assert isinstance(reading_task(960), partial)
    assert len(pickle.dumps((reading_task(960), make_obey))) < 500
