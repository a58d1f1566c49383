from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from kdsl_cli.commands.console import Output, set_output
from kdsl_cli.commands.intake.app import app
from kdsl_cli.dialogues.readers.options import ReaderOptions
from kdsl_cli.dialogues.readers.reading import read
from kdsl_cli.dialogues.splits import check_leaks, load_split
from kdsl_cli.errors import CheckFailed, ConfigError, DatasetError, KdslError, LeakError

Kdsl = Callable[..., Result]

LENIENT = ReaderOptions(check_pictures=False)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    set_output(Output())


@pytest.fixture
def kdsl() -> Kdsl:
    def run(*words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words])

    return run


def failure(result: Result, kind: type[KdslError]) -> str:
    assert isinstance(result.exception, kind)
    assert result.stdout == ""
    return str(result.exception)


def write_chats(path: Path, *texts: str, **other: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"id": f"{path.stem}-{number}", "messages": [{"role": "user", "content": text}], "task": "t", **other}
        for number, text in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def write_catalogue(*names: str) -> Path:
    path = Path("intents.yaml")
    intents = ", ".join(f'{{name: "{name}"}}' for name in names)
    path.write_text(f'tasks: [{{name: "t", intents: [{intents}]}}]', encoding="utf-8")
    return path


def test_import_copies_pictures_under_the_name_of_their_content(kdsl: Kdsl) -> None:
    Path("raw/shots").mkdir(parents=True)
    for name, colour in (("a.PNG", "red"), ("b.png", "red"), ("c.png", "blue")):
        Image.new("RGB", (4, 4), colour).save(f"raw/shots/{name}", format="png")
    source = write_chats(Path("raw/chats.jsonl"), "<image><image><image>", images=["a.PNG", "b.png", "c.png"])
    result = kdsl("import", source, "--image-root", "raw/shots")
    assert result.exit_code == 0, result.exception
    assert "1 dialogues with 2 pictures" in result.stdout
    (dialogue,) = read(Path("data/dialogues.jsonl"), format="canonical", max_errors=0).dialogues
    first, same, other = dialogue.images
    assert first == same != other
    assert sorted(path.name for path in Path("data/images").iterdir()) == sorted(
        {Path(first).name, Path(other).name}
    )
    assert (Path("data") / other).read_bytes() == Path("raw/shots/c.png").read_bytes()
    before = Path("data/dialogues.jsonl").read_bytes()
    assert kdsl("import", source, "--image-root", "raw/shots").exit_code == 0
    assert Path("data/dialogues.jsonl").read_bytes() == before


@pytest.mark.parametrize("shop", ["shots", "a/b/c/shots", "../outside/shots"])
def test_pictures_are_named_as_seen_from_where_the_settings_say_they_start(
    kdsl: Kdsl, shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every stage after these two looks for pictures there, however deep it lies."""
    (space := tmp_path / "space").mkdir()
    monkeypatch.chdir(space)
    (root := Path(shop).resolve()).mkdir(parents=True)
    Image.new("RGB", (4, 4), "red").save(root / "a.png")
    Path("kdsl.yaml").write_text(f"data: {{images: {json.dumps(shop)}}}")

    row = {"id": "x", "task": "t", "turns": [{"role": "customer", "text": "", "images": ["a.png"]}]}
    Path("data").mkdir()
    Path("data/dialogues.jsonl").write_text(json.dumps(row | {"group": None, "label": "l"}))
    assert kdsl("split", "--fractions", "train=1").exit_code == 0
    assert load_split(Path("data"), "train")[0].images == ("a.png",)

    assert kdsl("import", "data/dialogues.jsonl", "--image-root", root).exit_code == 0
    (name,) = read(Path("data/dialogues.jsonl"), options=LENIENT).dialogues[0].images
    assert (root / name).read_bytes() == (root / "a.png").read_bytes()
    assert kdsl("split", "--fractions", "train=1").exit_code == 0
    assert load_split(Path("data"), "train")[0].images == (name,)

    assert kdsl("split", "--fractions", "train=1", "--out", "elsewhere").exit_code == 0
    (seen,) = load_split(Path("elsewhere"), "train")[0].images
    assert (Path("elsewhere") / seen).resolve() == root / name  # no stage of this workspace looks there


def test_a_folder_of_pictures_that_is_not_there_is_told(kdsl: Kdsl) -> None:
    Path("kdsl.yaml").write_text("data: {images: shots}")
    Path("data").mkdir()
    Image.new("RGB", (4, 4), "red").save("data/a.png")
    row = {"id": "x", "task": "t", "turns": [{"role": "customer", "text": "", "images": ["a.png"]}]}
    Path("data/dialogues.jsonl").write_text(json.dumps(row | {"group": None, "label": "l"}))
    for words in (["split", "--fractions", "train=1"], ["check"], ["split", "--out", "elsewhere"]):
        told = failure(kdsl(*words), ConfigError)
        assert "data.images: no such folder" in told and "shots" in told
    assert not Path("data/splits.json").exists()
    assert "does not exist" in kdsl("check", "--image-root", "nowhere").output


def test_dialogues_of_another_folder_are_parted_where_stages_look(kdsl: Kdsl, tmp_path: Path) -> None:
    Path("kdsl.yaml").write_text("data: {dialogues: archive/all.jsonl}")
    Path("archive").mkdir()
    Image.new("RGB", (4, 4), "red").save("archive/a.png")
    row = {"id": "x", "task": "t", "turns": [{"role": "customer", "text": "", "images": ["a.png"]}]}
    Path("archive/all.jsonl").write_text(json.dumps(row | {"group": None, "label": "l"}))
    assert kdsl("split", "--fractions", "train=1").exit_code == 0
    assert load_split(Path("data"), "train")[0].images == ("../archive/a.png",)


def test_import_of_a_table_takes_the_names_of_its_columns(kdsl: Kdsl) -> None:
    Path("t.csv").write_text("sku,question\n1,在吗\n")
    result = kdsl(
        "import", "t.csv", "--task", "t", "--columns", "id=sku,text=question,label=", "--out", "d.jsonl"
    )
    assert result.exit_code == 0, result.exception
    assert read(Path("d.jsonl")).dialogues[0].turns[0].text == "在吗"


@pytest.mark.parametrize(
    ("columns", "words"),
    [("txt=a", "Did you mean 'text'"), ("text", "is no NAME=VALUE"), ("text=a,text=b", "stands twice")],
)
def test_columns_that_cannot_be_understood_are_refused(kdsl: Kdsl, columns: str, words: str) -> None:
    assert words in failure(kdsl("import", "t.csv", "--columns", columns), ConfigError)


def test_import_with_a_bad_row_writes_nothing_unless_allowed(kdsl: Kdsl) -> None:
    source = write_chats(Path("chats.jsonl"), "good", " ")
    told = failure(kdsl("import", source), CheckFailed)
    assert told.startswith("chats.jsonl:2:chats-1: all turns are empty")
    assert not Path("data").exists()
    result = kdsl("import", source, "--max-errors", 1)
    assert result.exit_code == 0
    assert "chats.jsonl:2:chats-1: all turns are empty" in result.stderr
    assert len(read(Path("data/dialogues.jsonl")).dialogues) == 1


def test_a_file_of_nothing_but_bad_rows_never_passes(kdsl: Kdsl) -> None:
    source = write_chats(Path("chats.jsonl"), " ")
    failure(kdsl("import", source, "--max-errors", 5), CheckFailed)


def test_many_bad_rows_are_cut_to_twenty(kdsl: Kdsl) -> None:
    told = failure(kdsl("check", write_chats(Path("chats.jsonl"), *[""] * 30)), CheckFailed)
    assert told.endswith("... and 10 more.")
    assert told.count("\n") == 20


def test_several_sources_become_one_file(kdsl: Kdsl) -> None:
    sources = [write_chats(Path(f"{name}/{name}.jsonl"), "hi") for name in ("one", "two")]
    assert kdsl("import", *sources).exit_code == 0
    assert [each.id for each in read(Path("data/dialogues.jsonl")).dialogues] == ["one-0", "two-0"]


def test_check_says_what_it_found(kdsl: Kdsl) -> None:
    set_output(Output("json"))
    result = kdsl("check", write_chats(Path("chats.jsonl"), "a", "b", label="退款"))
    assert json.loads(result.stdout) == {
        "path": "chats.jsonl",
        "dialogues": 2,
        "bad_rows": 0,
        "intents": 1,
        "unlabelled": 0,
        "pictures": 0,
    }


def test_check_against_a_catalogue_names_unknown_labels(kdsl: Kdsl) -> None:
    source, catalogue = write_chats(Path("chats.jsonl"), "a", label="退款页"), write_catalogue("退款页面")
    assert "Did you mean '退款页面'" in failure(kdsl("check", source, "--catalogue", catalogue), CheckFailed)
    assert kdsl("check", source).exit_code == 0


def test_check_without_a_file_uses_the_workspace(kdsl: Kdsl) -> None:
    assert "Bring dialogues in: kdsl data import FILE" in failure(kdsl("check"), DatasetError)
    kdsl("import", write_chats(Path("chats.jsonl"), "a", label="退款"))
    assert "data/dialogues.jsonl: 1 dialogues" in kdsl("check").stdout
    write_catalogue("别的")
    assert "unknown label" in failure(kdsl("check"), CheckFailed)


def test_split_writes_its_files_and_names_them(kdsl: Kdsl) -> None:
    kdsl("import", write_chats(Path("chats.jsonl"), *(f"text {number}" for number in range(10)), label="x"))
    set_output(Output("quiet"))
    result = kdsl("split", "--fractions", "train=0.7,val=0.1,test=0.2", "--seed", 3)
    assert result.stdout == "data/splits.json\n"
    assert [len(load_split(Path("data"), name)) for name in ("train", "val", "test")] == [7, 1, 2]
    check_leaks(Path("data/splits.json"))
    before = Path("data/splits.json").read_bytes()
    kdsl("split", "--fractions", "train=0.7,val=0.1,test=0.2", "--seed", 3)
    assert Path("data/splits.json").read_bytes() == before


def test_split_keeps_duplicates_together_and_says_so(kdsl: Kdsl) -> None:
    same = "这句话说了两遍,一模一样"
    source = write_chats(Path("chats.jsonl"), *(f"text {number}" for number in range(8)), same, same)
    result = kdsl("split", source, "--out", "data")
    assert "2 dialogues hang together in 1 groups or sets of duplicates" in result.stderr
    homes = [
        name
        for name in ("train", "val", "test")
        if {"chats-8", "chats-9"} & {each.id for each in load_split(Path("data"), name)}
    ]
    assert len(homes) == 1


def test_pictures_are_found_from_the_folder_of_the_splits(kdsl: Kdsl) -> None:
    Path("raw").mkdir()
    Image.new("RGB", (4, 4)).save("raw/a.png")
    source = write_chats(Path("raw/chats.jsonl"), "<image>", images=["a.png"])
    assert kdsl("split", source, "--out", "elsewhere", "--fractions", "train=1").exit_code == 0
    (dialogue,) = read(Path("elsewhere/train.jsonl"), max_errors=0).dialogues
    assert dialogue.images == ("../raw/a.png",)


def test_given_splits_are_adopted_or_refused(kdsl: Kdsl) -> None:
    train = write_chats(Path("a.jsonl"), "为什么还没有发货呢", "hi")
    test = write_chats(Path("b.jsonl"), "hello")
    assert (
        kdsl("split", "--given", f"train={train}", "--given", f"test={test}", "--out", "data").exit_code == 0
    )
    assert len(load_split(Path("data"), "train")) == 2
    told = kdsl("split", "--given", f"train={train}", "--given", f"tset={test}", "--out", "misspelt").output
    assert "no stage reads a split 'tset', but train, val, test. Did you mean 'test'?" in told
    leaking = write_chats(Path("c.jsonl"), "为什么还没有发货呢")
    result = kdsl("split", "--given", f"train={train}", "--given", f"test={leaking}", "--out", "other")
    assert "'a-0' in train and 'c-0' in test are the same" in failure(result, LeakError)
    assert not Path("other").exists()
    assert "--given" in failure(kdsl("split", "--given", f"train={train}", "--seed", 1), ConfigError)


@pytest.mark.parametrize(
    ("fractions", "words"),
    [("train=lots", "is no number"), ("train=0.5", "sum to 0.5"), ("train", "is no NAME=VALUE")],
)
def test_fractions_that_cannot_be_understood_are_refused(kdsl: Kdsl, fractions: str, words: str) -> None:
    source = write_chats(Path("chats.jsonl"), "a")
    assert words in failure(kdsl("split", source, "--fractions", fractions), ConfigError)


def test_stats_print_a_table_or_json(kdsl: Kdsl) -> None:
    source = write_chats(Path("chats.jsonl"), "a", "b", label="退款")
    assert "退款" in kdsl("stats", source).stdout
    set_output(Output("json"))
    (row,) = json.loads(kdsl("stats", source).stdout)
    assert (row["task"], row["intent"], row["dialogues"]) == ("t", "退款", 2)


def test_export_can_be_imported_again(kdsl: Kdsl) -> None:
    kdsl("import", write_chats(Path("chats.jsonl"), "a", "b", label="退款"))
    result = kdsl("export", "--format", "sharegpt", "--label-as", "reply", "--out", "out/train.jsonl")
    assert "Wrote 2 dialogues to out/train.jsonl" in result.stdout
    kdsl("import", "out/train.jsonl", "--label-from", "reply", "--out", "again/dialogues.jsonl")
    assert Path("again/dialogues.jsonl").read_bytes() == Path("data/dialogues.jsonl").read_bytes()


def test_export_never_overwrites_what_it_reads(kdsl: Kdsl) -> None:
    source = write_chats(Path("chats.jsonl"), "a")
    failure(kdsl("export", source, "--format", "canonical", "--out", source), ConfigError)
