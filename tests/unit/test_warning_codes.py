"""Every warning has a code that clients can rely on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from avatarforge.forge.graphs.prompt_syntax import MORE, prompt_warnings
from avatarforge.forge.spec.warning import WARNING_CODES, GenerationWarning, make_warning, without_repeats

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "api.md"
IN_WORDS = {
    "<lora:x:1>": "network_in_prompt",
    "a knight BREAK a horse": "keyword_in_prompt",
    "__color__": "wildcard_in_prompt",
    "[red|blue]": "alternation_in_prompt",
    "{red|blue}": "choice_in_prompt",
    "[red:blue:0.5]": "schedule_in_prompt",
    "EMBEDDING:x": "malformed_embedding",
    "embedding: ": "unnamed_embedding",
    "embedding:x": "unknown_embedding",
}
ELSEWHERE = {
    "no_pose_controlnet",
    "no_pose_slot",
    "pose_not_extracted",
    "pose_on_some_views",
    "reroll_failed",
    "negative_prompt_has_no_effect",
    "strength_counts_as_one",
    "words_not_understood",
    "references_left_out",
    "judge_failed",
    "until_not_reached",
}


@pytest.mark.parametrize(("text", "code"), IN_WORDS.items(), ids=IN_WORDS.values())
def test_what_comfyui_does_not_read_has_a_code_and_the_text(text: str, code: str) -> None:
    (warning,) = prompt_warnings([text], ())
    assert warning.code == code
    assert warning.detail.startswith(f"'{warning.parameters['text']}': ")


def test_every_code_is_documented_and_tested() -> None:
    _, _, section = DOCS.read_text(encoding="utf-8").partition("### Warning codes\n")
    section, _, _ = section.partition("\n### ")
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(WARNING_CODES)
    assert {*IN_WORDS.values(), MORE.code, *ELSEWHERE} == set(WARNING_CODES)


def test_a_sentence_is_kept_once() -> None:
    first, second = make_warning("unknown_embedding", "a"), GenerationWarning("b")
    assert without_repeats([first, second, GenerationWarning("a")]) == (first, second)


def test_every_code_has_a_chinese_text_with_its_parameters() -> None:
    texts = json.loads((ROOT / "locales" / "zh" / "main.json").read_text(encoding="utf-8"))["avatarforge"]
    _, _, section = DOCS.read_text(encoding="utf-8").partition("### Warning codes\n")
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", section, re.MULTILINE)
    documented = {code: set(re.findall(r"`(\w+)`", names)) for code, names in rows if code in WARNING_CODES}
    assert documented.keys() == set(WARNING_CODES)
    for code, parameters in documented.items():
        assert set(re.findall(r"{(\w+)}", texts[f"warning_{code}"])) <= parameters
