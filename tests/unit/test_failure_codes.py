"""The code of a generation's error, also of rows of earlier releases."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from avatarforge.forge.generations.failures import FAILURE_CODES, failure_code

ROOT = Path(__file__).resolve().parents[2]
STORED = {
    "Cancelled on request.": "cancelled",
    "Cancelled: it was interrupted in ComfyUI.": "interrupted",
    "Cancelled: it was removed from ComfyUI's queue before it finished.": "removed_from_queue",
    "ComfyUI stopped 3 times while this generation ran, so it was given up.": "gave_up",
    "It could not be resumed after a restart.": "not_resumed",
    "It could not be resumed after a restart. No checkpoint is installed.": "not_resumed",
    "It could not be handed to ComfyUI. No checkpoint is installed.": "not_started",
    "ComfyUI reported success, but avatarforge_00001.png cannot be read.": "picture_unreadable",
    "KSampler (node 7): out of memory": "comfyui_error",
    "": "comfyui_error",
}


@pytest.mark.parametrize(("error", "code"), STORED.items())
def test_a_stored_error_has_a_code(error: str, code: str) -> None:
    assert failure_code(error) == code


def test_what_has_not_failed_has_none() -> None:
    assert failure_code(None) is None


def test_every_code_is_documented_tested_and_translated() -> None:
    assert set(STORED.values()) == set(FAILURE_CODES)
    (row,) = re.findall(
        r"^\| `error_code` \|.*$", (ROOT / "docs" / "api.md").read_text("utf-8"), re.MULTILINE
    )
    assert set(FAILURE_CODES) <= set(re.findall(r"`(\w+)`", row))
    texts = json.loads((ROOT / "locales" / "zh" / "main.json").read_text("utf-8"))["avatarforge"]
    assert {f"failure_{code}" for code in FAILURE_CODES} == {
        key for key in texts if key.startswith("failure_")
    }
