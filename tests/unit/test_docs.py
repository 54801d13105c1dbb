"""The pages that name a test for each promise name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["security.md", "reliability.md"])
def test_every_test_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    source = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    written = set(re.findall(r"def (test_\w+)", "\n".join(source.values())))
    files = {path.name for path in source}
    named = set(re.findall(r"test_\w+(?:\.py)?", text))
    assert named
    assert {name for name in named if name not in (files if name.endswith(".py") else written)} == set()


def test_the_pages_name_a_test_for_each_of_the_acceptance_checks() -> None:
    pages = [(ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("security.md", "reliability.md")]
    rows = [
        int(number) for page in pages for number in re.findall(r"^\| ([0-9]+)\.? .*test_", page, re.MULTILINE)
    ]
    assert sorted(set(rows)) == list(range(1, 23))
