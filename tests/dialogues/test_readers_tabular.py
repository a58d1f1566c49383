from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from kdsl_cli.dialogues.readers.options import Columns, ReaderOptions
from kdsl_cli.dialogues.readers.reading import ReadResult, read
from kdsl_cli.dialogues.schema import Dialogue, Turn
from kdsl_cli.errors import DatasetError


def read_csv(folder: Path, text: str, columns: Columns | None = None, task: str | None = "t") -> ReadResult:
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path, columns or Columns(), task)


def read_table(path: Path, columns: Columns, task: str | None = "t") -> ReadResult:
    return read(path, options=ReaderOptions(task=task, columns=columns, check_pictures=False))


def test_configured_columns_are_read_and_others_left(tmp_path: Path) -> None:
    columns = Columns(id="sku", text="question", images="shots", label="intent", task="kind", group="shop")
    header = "\ufeffsku,question,shots,intent,kind,shop,note\n"
    rows = '1,"<image>a\nb",x.png,buy,own,s,n\n2,,y.png;z.png,,,,\n'
    assert read_csv(tmp_path, header + rows, columns).dialogues == (
        Dialogue("1", "own", (Turn("customer", "<image>a\nb", ("x.png",)),), "s", "buy"),
        Dialogue("2", "t", (Turn("customer", "", ("y.png", "z.png")),)),
    )


def test_rows_are_numbered_where_there_is_no_id_column(tmp_path: Path) -> None:
    result = read_csv(tmp_path, "text\nhello\nworld\n", Columns(id=None, label=None))
    assert [dialogue.id for dialogue in result.dialogues] == ["t-000001", "t-000002"]


def test_a_bad_row_is_named_by_the_line_on_which_it_begins(tmp_path: Path) -> None:
    text = 'id,text,label\n1,"a\nb\nc",x\n2,d\n,e,x\n4,,x\n\n5,f,x\n'
    result = read_csv(tmp_path, text)
    assert [problem.where for problem in result.problems] == [
        f"{tmp_path}/t.csv:5",
        f"{tmp_path}/t.csv:6",
        f"{tmp_path}/t.csv:7:4",
    ]
    assert "2 fields" in result.problems[0].what
    assert [dialogue.id for dialogue in result.dialogues] == ["1", "5"]


def test_a_missing_column_lists_the_columns_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"id, txt, label. Did you mean 'txt'"):
        read_csv(tmp_path, "id,txt,label\n1,a,b\n")


def test_all_missing_columns_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        read_csv(tmp_path, "a,b\n1,2\n")
    assert len(caught.value.problems) == 3


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="'text' stands twice"):
        read_csv(tmp_path, "id,text,text,label\n1,a,b,c\n")


def test_a_quote_that_never_closes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="not CSV"):
        read_csv(tmp_path, 'id,text,label\n1,"a,b\n')


def test_a_table_without_any_content_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="neither a text nor an images column"):
        read_csv(tmp_path, "id\n1\n", Columns(text=None, label=None))


def test_a_row_without_task_asks_for_one(tmp_path: Path) -> None:
    (problem,) = read_csv(tmp_path, "id,text,label\n1,a,b\n", task=None).problems
    assert "--task" in (problem.fix or "")


def test_parquet_holds_lists_of_pictures_and_nulls(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame = pl.DataFrame(
        {
            "id": [1, 2, 3],
            "text": ["a", None, None],
            "images": [None, ["x.png", "y.png"], []],
            "label": ["l", None, "m"],
        }
    )
    frame.write_parquet(path)
    result = read_table(path, Columns(images="images"))
    assert result.dialogues == (
        Dialogue("1", "t", (Turn("customer", "a"),), label="l"),
        Dialogue("2", "t", (Turn("customer", "", ("x.png", "y.png")),)),
    )
    assert [problem.where for problem in result.problems] == [f"{path}:3:3"]


def test_a_file_that_only_ends_like_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_text("id,text\n")
    with pytest.raises(DatasetError, match="is not Parquet"):
        read_table(path, Columns())
    pl.DataFrame({"id": ["1"] * 100, "text": ["a"] * 100, "label": ["b"] * 100}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatasetError, match="not whole Parquet"):
        read_table(path, Columns())


def test_a_parquet_column_of_the_wrong_type_is_named_by_row(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"id": ["a"], "text": [1.5], "label": ["l"]}).write_parquet(path)
    (problem,) = read_table(path, Columns()).problems
    assert problem.what == "'text' is a number"
