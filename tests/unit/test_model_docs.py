"""docs/models.md has a section for every family, with its tables as the code has them.

After a change that is meant, write the tables again by running this module with AVATARFORGE_RECORD=1.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from model_docs import render_tables

from avatarforge.forge.families import FAMILIES

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


@pytest.mark.parametrize("name", FAMILIES)
def test_the_section_of_a_family_has_its_files_and_defaults(name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = re.compile(rf"(<!-- tables of {name} -->\n).*?(\n<!-- end of {name} -->)", re.DOTALL)
    tables = render_tables(name)
    if os.environ.get("AVATARFORGE_RECORD"):
        text = section.sub(lambda found: found[1] + tables + found[2], text)
        PAGE.write_text(text, encoding="utf-8")
    found = section.search(text)
    assert found is not None, f"docs/models.md has no section for {name}"
    assert tables in found[0]
    assert f"## {FAMILIES[name].label}" in text
