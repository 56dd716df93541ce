"""Paths as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.paths import inside, normal


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/a.py", "src/a.py"),
        (" ./src//a.py ", "src/a.py"),
        ("src\\sub\\a.py", "src/sub/a.py"),
        ("src/../docs/a.md", "docs/a.md"),
        ("/etc/./passwd", "/etc/passwd"),
        (".", ""),
        ("/", "/"),
        ("..", None),
        ("src/../../a.py", None),
        ("/..", None),
        ("..\\a.py", None),
    ],
)
def test_a_path_has_one_normal_form_or_climbs_out(path: str, expected: str | None) -> None:
    assert normal(path) == expected


@pytest.mark.parametrize(
    ("path", "places", "expected"),
    [
        ("src/a.py", ["src/"], True),
        ("src/sub/a.py", ["src/"], True),
        ("src/", ["src/"], True),
        ("source/a.py", ["src/"], False),
        ("src2/a.py", ["src/"], False),
        ("src/a.py", ["src"], True),
        ("src2/a.py", ["src"], False),
        ("src/a.py", ["src/a.py"], True),
        ("./src/a.py", ["docs/", "src/a.py"], True),
        ("src/../docs/a.md", ["src/"], False),
        ("../src/a.py", ["src/"], False),
        ("src/a.py", ["./"], True),
        ("/etc/passwd", ["./"], False),
        ("/etc/passwd", ["/"], True),
        ("/etc/passwd", ["etc/"], False),
        ("anything", [], True),
        ("../anything", [], False),
        ("a", ["../"], False),
    ],
)
def test_a_path_is_inside_what_it_is_or_lies_in(
    path: str, places: list[str], expected: bool
) -> None:
    assert inside(path, places) is expected


@given(st.text("ab./\\", max_size=30))
def test_the_normal_form_is_its_own_normal_form_and_holds_no_dots(path: str) -> None:
    clean = normal(path)

    if clean is not None:
        assert normal(clean) == clean
        assert not {".", ".."} & set(clean.split("/"))
