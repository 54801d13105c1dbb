"""The panel's list of installed models, in a real browser: the user says what a file is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser
from panels import fresh_panel, open_panel_browser, too_wide, violations
from playwright.sync_api import Page, expect

from lab.api import Api
from lab.synthetic import file_name

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
