"""The nodes on a real ComfyUI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lab.api import Api

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "object_info.json").read_text(encoding="utf-8")
)


def kinds(inputs: dict[str, Any]) -> dict[str, Any]:
    """The type of each input; a list of choices, which depends on what is installed, counts as one."""
    found = {}
    for group in ("required", "optional"):
        for name, (kind, *_) in inputs.get(group, {}).items():
            found[name] = (group, "COMBO" if isinstance(kind, list) else kind)
    return found


def test_the_record_that_offline_tests_use_is_that_of_the_host(api: Api) -> None:
    live = api.root("/object_info").json()
    assert {name for name in live if name.startswith("AvatarForge")} == {
        name for name in RECORDED if name.startswith("AvatarForge")
    }
    for name, node in RECORDED.items():
        assert kinds(live[name]["input"]) == kinds(node["input"]), name
        assert live[name]["output"] == node["output"], name


def test_every_node_says_what_it_is(api: Api) -> None:
    live = api.root("/object_info").json()
    ours = [node for name, node in live.items() if name.startswith("AvatarForge")]
    assert ours
    for node in ours:
        assert node["display_name"].endswith("(AvatarForge)")
        assert node["description"]
        assert node["category"] == "AvatarForge"
        assert node["search_aliases"]
