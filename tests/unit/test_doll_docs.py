"""docs/doll.md has the doll's vocabulary as the code has it.

After a change that is meant, write the tables again by running this module with AVATARFORGE_RECORD=1.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from doll_docs import SECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "doll.md"


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_has_the_words_of_its_tables(name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = re.compile(rf"(<!-- tables of {name} -->\n).*?(\n<!-- end of {name} -->)", re.DOTALL)
    tables = SECTIONS[name]()
    if os.environ.get("AVATARFORGE_RECORD"):
        text = section.sub(lambda found: found[1] + tables + found[2], text)
        PAGE.write_text(text, encoding="utf-8")
    found = section.search(text)
    assert found is not None, f"docs/doll.md has no section for {name}"
    assert found[0] == f"<!-- tables of {name} -->\n{tables}\n<!-- end of {name} -->"


def test_the_page_says_that_no_model_draws() -> None:
    assert "It is no model" in PAGE.read_text(encoding="utf-8")
