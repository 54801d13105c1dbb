"""Our keyboard shortcuts beside those of ComfyUI's frontends."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDED: dict[str, Any] = json.loads(
    (ROOT / "tests" / "data" / "frontend_keybindings.json").read_text(encoding="utf-8")
)
MODIFIERS = ("ctrl", "alt", "shift")
COMMANDS = {"Create", "Gallery", "Generate", "GenerateSheet"}


def shortcuts() -> dict[str, str]:
    """Our commands and their combinations, such as Alt+Shift+P, as `shortcuts.mjs` has them."""
    script = (ROOT / "web" / "panel" / "shortcuts.mjs").read_text(encoding="utf-8")
    found = {}
    for command, combo in re.findall(r'commandId: "AvatarForge\.(\w+)", combo: {([^}]+)}', script):
        (key,) = re.findall(r'key: "(.+?)"', combo)
        parts = [name.capitalize() for name in MODIFIERS if f"{name}: true" in combo]
        found[command] = "+".join([*parts, key.upper()])
    return found


def test_every_command_has_one_shortcut_with_modifiers() -> None:
    found = shortcuts()
    assert found.keys() == COMMANDS
    assert len(set(found.values())) == len(COMMANDS)
    # A bare letter, and Shift with one, are what people type into a prompt.
    assert all(combo.startswith(("Ctrl+", "Alt+")) for combo in found.values())


@pytest.mark.parametrize("version", RECORDED["keybindings"])
def test_no_shortcut_is_taken_in_a_supported_frontend(version: str) -> None:
    core = RECORDED["keybindings"][version]
    assert len(core) > 30  # the record is not empty
    # The frontend compares keys without their case.
    taken = {combo.upper(): command for combo, command in core.items()}
    collisions = {combo: taken[combo.upper()] for combo in shortcuts().values() if combo.upper() in taken}
    assert collisions == {}
