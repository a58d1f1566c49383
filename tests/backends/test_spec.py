"""What a user calls a model is read as meant, or told what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdsl_cli.backends.spec import HttpSpec, LocalSpec, ScriptedSpec, parse_spec
from kdsl_cli.errors import BackendError

SPECS = {
    "local:Qwen/Qwen2-VL-2B": LocalSpec("Qwen/Qwen2-VL-2B"),
    "local:Qwen/Qwen2-VL-2B@v1": LocalSpec("Qwen/Qwen2-VL-2B", "v1"),
    "local:Qwen/Qwen2-VL-2B+lora/a@b": LocalSpec("Qwen/Qwen2-VL-2B", None, "lora/a@b"),
    "local:Qwen/Qwen2-VL-2B@v1+lora": LocalSpec("Qwen/Qwen2-VL-2B", "v1", "lora"),
    "http:http://localhost:8000/v1#qwen": HttpSpec("http://localhost:8000/v1", "qwen"),
    "http:https://host/v1#org/qwen:7b@2025-01": HttpSpec("https://host/v1", "org/qwen:7b", "2025-01"),
    "scripted:answers.yaml": ScriptedSpec(Path("answers.yaml")),
}


@pytest.mark.parametrize(("text", "spec"), SPECS.items())
def test_a_spec_is_read_and_written_back(text, spec):
    assert parse_spec(text) == spec
    assert str(spec) == text


@pytest.mark.parametrize("text", ["http://host:1/v1/#m", "HTTP:http://host:1/v1#m", " http://host:1/v1#m "])
def test_an_address_is_understood_however_it_is_begun(text):
    assert parse_spec(text) == HttpSpec("http://host:1/v1", "m")


def test_a_folder_that_is_there_may_hold_the_marks_in_its_name(tmp_path):
    model, adapter = tmp_path / "m@1+x", tmp_path / "a+b"
    model.mkdir(), adapter.mkdir()
    assert parse_spec(f"local:{model}") == LocalSpec(str(model))
    assert parse_spec(f"local:{model}@r+{adapter}") == LocalSpec(str(model), "r", str(adapter))


def test_relative_paths_start_from_the_folder_given(tmp_path):
    for name in ("m", "lora"):
        (tmp_path / name).mkdir()
    assert parse_spec("local:m+lora", tmp_path) == LocalSpec(f"{tmp_path}/m", None, f"{tmp_path}/lora")
    assert parse_spec("scripted:a.yaml", tmp_path) == ScriptedSpec(tmp_path / "a.yaml")
    assert parse_spec("local:~", tmp_path) == LocalSpec(str(Path.home()))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Say what kind of model"),
        ("qwen", "scripted:FILE"),
        ("lokal:qwen", "Did you mean 'local'?"),
        ("local:", "but not which"),
        ("local:@v1", "leaves out the model"),
        ("local:qwen@", "the revision after '@'"),
        ("local:qwen@+lora", "the revision after '@'"),
        ("local:qwen+", "the adapter after '+'"),
        ("http:localhost:8000/v1#m", "http:http://localhost:8000/v1#MODEL"),
        ("http:ftp://host/v1#m", "no address of a server"),
        ("http://host/v1", "the model after '#'"),
        ("http://host/v1#m@", "the revision after '@'"),
        ("http://host:port/v1#m", "is not an address"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_allowed(text, told):
    with pytest.raises(BackendError, match="Allowed: ") as caught:
        parse_spec(text)
    assert told in str(caught.value)


@pytest.mark.parametrize("address", ["http://user:hunter2@host/v1", "https://host/v1?key=hunter2"])
def test_a_key_in_an_address_is_refused_and_not_repeated(address):
    with pytest.raises(BackendError, match="keys never belong into a spec") as caught:
        parse_spec(f"http:{address}#m")
    assert "hunter2" not in str(caught.value)
