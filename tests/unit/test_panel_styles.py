"""The style sheets that lie in the head of ComfyUI's own page reach no element but ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"
#: What `web/avatarforge.js` adds to the page of the editor.
IN_THE_EDITOR = re.findall(r'"([a-z]+/[a-z]+\.css)"', (WEB / "avatarforge.js").read_text(encoding="utf-8"))
KEYFRAME = re.compile(r"from|to|[\d.]+%")


def selectors(text: str) -> Iterator[str]:
    """Every selector of a style sheet; at-rules and key frames have none."""
    plain = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    for prelude in re.findall(r"([^{};]+)\{", plain):
        if not prelude.strip().startswith("@"):
            # A comma inside :is() or :not() separates nothing here.
            yield from (item.strip() for item in re.split(r",(?![^(]*\))", prelude))


@pytest.mark.parametrize("name", IN_THE_EDITOR)
def test_every_selector_names_a_class_of_ours(name: str) -> None:
    found = [
        item for item in selectors((WEB / name).read_text(encoding="utf-8")) if not KEYFRAME.fullmatch(item)
    ]
    assert found
    assert [item for item in found if ".avatarforge-" not in item and not item.startswith("&")] == []


def test_a_selector_of_somebody_else_is_found() -> None:
    text = "@media (x) { .avatarforge-a, body > p { color: red } } /* div {} */ .avatarforge-b:is(a, b) {}"
    assert list(selectors(text)) == [".avatarforge-a", "body > p", ".avatarforge-b:is(a, b)"]


def test_every_style_sheet_but_that_of_the_standalone_page_is_looked_at() -> None:
    there = {path.relative_to(WEB).as_posix() for path in WEB.rglob("*.css")}
    assert set(IN_THE_EDITOR) == there - {"panel/page.css"}
