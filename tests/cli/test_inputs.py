"""What options read besides themselves."""

import io
from pathlib import Path

import pytest

from relaybook.cli.inputs import file_text, json_of, pairs, text_of
from relaybook.errors import InvalidArguments

from .conftest import Cli


def test_text_comes_from_the_option_a_file_or_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "said.txt").write_text("from a file\n", encoding="utf-8")
    monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO("über stdin".encode()), encoding="utf-8")
    )

    assert text_of("itself", "--result") == "itself"
    assert text_of(f"@{tmp_path / 'said.txt'}", "--result") == "from a file\n"
    assert text_of("-", "--result") == "über stdin"


def test_json_comes_from_a_file_as_well(tmp_path: Path) -> None:
    (tmp_path / "items.json").write_text('["a", {"id": "b"}]', encoding="utf-8")

    assert json_of(f"@{tmp_path / 'items.json'}", "--items", list) == ["a", {"id": "b"}]
    assert json_of("", "--items", list) == []
    assert json_of("", "--args", dict) == {}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("{", "--args is not an object in JSON"),
        ("[]", "it is of the kind 'list'"),
        ("9" * 5_000, "too long a number"),
        ("{'a': 1}", "line 1, column 2"),
    ],
)
def test_what_is_no_object_is_refused(said: str, told: str) -> None:
    with pytest.raises(InvalidArguments, match=told):
        json_of(said, "--args", dict)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9")

    for name, told in (("none", "No such file"), ("latin", "byte 3"), (".", "directory")):
        with pytest.raises(InvalidArguments, match=told):
            file_text(tmp_path / name, "--files")
    with pytest.raises(InvalidArguments, match="no file has such a name"):
        file_text(Path("a\0b"), "--files")


def test_pairs_are_split_at_the_first_equals_sign() -> None:
    assert pairs(["a=1", "b=x=y", "c="], "--arg") == {"a": "1", "b": "x=y", "c": ""}
    with pytest.raises(InvalidArguments, match="--arg is 'plain'"):
        pairs(["plain"], "--arg")


def test_create_reads_its_items_from_a_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "items.json").write_text('["a", "b", "c", "d"]', encoding="utf-8")

    made = cli(
        *("create", "--type", "map_reduce", "--items", "@items.json", "--batches", "2"),
        *("--args", '{"instruction": "Count the words."}', "--json"),
    ).json

    assert made["progress"] == "0/2 complete"
