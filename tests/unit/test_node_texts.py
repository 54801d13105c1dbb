"""Every node is explained: in the editor's help, in its tooltips, and in an example."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from avatarforge.forge.spec.request import REQUEST_FIELDS

SLOTS = (
    *("prompt", "negative", "character", "pose", "reference"),
    *("seed", "width", "height", "steps", "cfg", "output"),
)
ROOT = Path(__file__).resolve().parents[2]
RECORDED: dict[str, Any] = json.loads(
    (ROOT / "tests" / "data" / "object_info.json").read_text(encoding="utf-8")
)
NODES = sorted(name for name in RECORDED if name.startswith("AvatarForge"))
LANGUAGES = ("en", "zh")


def page(node: str, language: str) -> str:
    """The help page, where ComfyUI's frontend looks for it."""
    name = f"{node}.md" if language == "en" else f"{node}/{language}.md"
    return (ROOT / "web" / "docs" / name).read_text(encoding="utf-8")


def texts(language: str, file: str) -> Any:
    return json.loads((ROOT / "locales" / language / file).read_text(encoding="utf-8"))


def inputs_of(node: str) -> set[str]:
    groups = RECORDED[node]["input"]
    return {name for kind in ("required", "optional") for name in groups.get(kind, {})}


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("node", NODES)
def test_every_node_has_a_help_page_that_names_its_inputs(node: str, language: str) -> None:
    text = page(node, language)
    assert text.startswith("# ")
    assert inputs_of(node) <= set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("node", NODES)
def test_every_node_is_in_the_example_that_its_help_page_names(node: str) -> None:
    (named,) = re.findall(r"Example workflow: `([\w ]+)`", page(node, "en"))
    assert f"`{named}`" in page(node, "zh")
    graph = json.loads((ROOT / "example_workflows" / f"{named}.json").read_text(encoding="utf-8"))
    assert node in {placed["type"] for placed in graph["nodes"]}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("node", NODES)
def test_every_node_has_its_name_and_tooltips_in_every_language(node: str, language: str) -> None:
    entry = texts(language, "nodeDefs.json")[node]
    assert entry["display_name"].endswith("(AvatarForge)")
    assert entry["description"]
    assert inputs_of(node) <= entry["inputs"].keys()
    assert len(RECORDED[node]["output"]) == len(entry.get("outputs", {}))
    for words in (*entry["inputs"].values(), *entry.get("outputs", {}).values()):
        assert words["name"] and words["tooltip"]


def test_the_languages_have_the_same_texts_with_the_same_placeholders() -> None:
    english, chinese = (texts(language, "main.json")["avatarforge"] for language in LANGUAGES)
    # In English the server's own words are shown. The tests of codes, styles and poses check the others.
    chinese = {
        key: text
        for key, text in chinese.items()
        if not key.startswith(("error_", "problem_", "warning_", "failure_", "preset_", "built_in_pose_"))
    }
    assert {key: placeholders(text) for key, text in english.items()} == {
        key: placeholders(text) for key, text in chinese.items()
    }


def test_every_text_that_the_scripts_ask_for_exists() -> None:
    scripts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "web").rglob("*.mjs"))
    requested = set(re.findall(r'\bt\("(\w+)"', scripts))
    keys = texts("en", "main.json")["avatarforge"].keys()
    assert requested <= keys
    # The rest belongs to the fields of the form: test_request_fields.py says which they need.
    fields = tuple(name for name, field in REQUEST_FIELDS.items() if field.form)
    suffixes = ("", "_hint", "_example", "_auto")
    of_fields = {f"{name}{suffix}" for name in fields for suffix in suffixes} | {
        f"{name}_{value}"
        for name in fields
        for value in getattr(REQUEST_FIELDS[name].rule, "values", ("false", "true"))
    }
    of_slots = {f"slot_{name}" for name in SLOTS}
    assert of_slots <= keys
    assert keys - requested <= of_fields | of_slots


def test_only_one_script_is_loaded_as_an_extension() -> None:
    assert [path.name for path in (ROOT / "web").rglob("*.js")] == ["avatarforge.js"]
