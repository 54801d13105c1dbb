"""The panel's list of installed models, in a real browser: the user says what a file is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser
from panels import fresh_panel, open_panel_browser, prompt, tile, too_wide, violations, words
from playwright.sync_api import Page, expect

from lab.api import Api
from lab.host import ComfyUI
from lab.links import unlink
from lab.server import ComfyServer
from lab.synthetic import file_name, make, model_name

CHECKPOINT = file_name("sd15")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        shown.locator("summary", has_text="Installed models").click()
        yield shown


def stored(api: Api) -> dict[str, Any]:
    models = api.get("/models", params={"folder": "checkpoints"}).json()["models"]
    found: dict[str, Any] = next(model for model in models if model["name"] == CHECKPOINT)
    return found


def test_the_family_and_variant_of_a_file_are_chosen_and_left_to_the_file_again(page: Page, api: Api) -> None:
    line = page.get_by_role("list", name="Installed models").locator("li", has_text=CHECKPOINT)
    expect(line).to_contain_text("by its content")
    assert (violations(page, "html"), too_wide(page)) == ([], [])
    family = page.get_by_label(f"Model family: {CHECKPOINT}")
    family.select_option("sdxl")
    expect(line).to_contain_text("chosen by you")
    expect(family).to_be_focused()
    page.get_by_label(f"Variant: {CHECKPOINT}").select_option("pony")
    expect(page.get_by_label(f"Variant: {CHECKPOINT}")).to_be_focused()
    chosen = stored(api)
    assert (chosen["family"], chosen["variant"], chosen["told_by"]) == ("sdxl", "pony", "override")
    assert chosen["override"]["variant"] == "pony"
    # Back to what the file itself says; the variant of another family goes with it.
    family.select_option("")
    expect(line).to_contain_text("by its content")
    assert (stored(api)["family"], stored(api)["override"]) == ("sd15", None)


@pytest.fixture
def lora(comfyui: ComfyUI, comfy: ComfyServer) -> Iterator[str]:
    """An installed LoRA of SD1.5, whose file is taken away again."""
    comfy.add_model(model_name("lora-sd15"), make(comfyui, "lora-sd15"))
    yield file_name("lora-sd15")
    unlink(comfy.base / "models" / model_name("lora-sd15"))


def test_a_lora_is_chosen_with_its_strength_and_comes_back_with_its_generation(
    lora: str, browser: Browser, api: Api
) -> None:
    text = words()
    with fresh_panel(browser, api) as page:
        page.get_by_text("Advanced").click()
        page.get_by_label("Model", exact=True).select_option(CHECKPOINT)
        page.get_by_role("button", name="Add a LoRA").click()
        dialog = page.get_by_role("dialog", name="Choose a LoRA")
        expect(dialog).to_contain_text("Stable Diffusion 1.5")
        assert violations(page, "html") == []
        dialog.get_by_role("button", name=lora).click()
        expect(page.get_by_label("Strength of the LoRA")).to_be_focused()
        page.get_by_label("Strength of the LoRA").fill("0.5")
        expect(page.get_by_role("button", name=f"LoRAs: {lora} 0.5")).to_be_visible()
        # SD1.5 does not have the setting, so the form leaves it out.
        page.get_by_label("Guidance", exact=True).fill("3")
        assert (violations(page, "html"), too_wide(page)) == ([], [])
        prompt(page).fill(text)
        page.get_by_role("button", name="Generate", exact=True).click()
        expect(tile(page, text)).to_have_attribute("aria-label", re.compile("Finished$"))
        listed = api.get("/generations").json()["generations"]
        generation = next(each for each in listed if each["parameters"]["prompt"] == text)
        assert generation["parameters"]["loras"] == [{"name": lora, "strength": 0.5, "clip_strength": None}]
        assert generation["parameters"]["guidance"] is None
        assert [(line["role"], line["model"]) for line in generation["inputs"]] == [("lora", lora)]
        # It is in use, so it is not offered again.
        page.get_by_role("button", name="Add a LoRA").click()
        expect(dialog.get_by_role("status")).to_contain_text("No other LoRA")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_label("Strength of the LoRA")).to_have_count(0)
