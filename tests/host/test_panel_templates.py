"""The panel's list of templates, in a real browser: use, export, import, delete and start from a family."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from generating import fresh
from graphs import plain
from panels import (
    POSE,
    fresh_panel,
    give,
    open_panel,
    open_panel_browser,
    prompt,
    too_wide,
    violations,
    words,
)
from playwright.sync_api import Locator, Page, ViewportSize, expect

from lab.api import Api
from lab.synthetic import file_name

NARROW: ViewportSize = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture
def template(api: Api) -> dict[str, Any]:
    """A template with ComfyUI's default graph."""
    body = {"name": f"graph {secrets.token_hex(4)}", "prompt": plain(file_name("sd15"))}
    response = api.post("/templates", json=body)
    assert response.status_code == 200, response.text
    saved: dict[str, Any] = response.json()
    return saved


@pytest.fixture
def page(browser: Browser, api: Api, template: dict[str, Any]) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        shown.locator("summary", has_text="Templates").click()
        expect(item(shown, template["name"])).to_be_visible()
        yield shown


def item(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Templates").locator("li", has_text=name)


def press(page: Page, action: str, name: str) -> None:
    page.get_by_role("button", name=f"{action}: {name}").click()


def test_a_template_is_used_by_the_form(
    page: Page, api: Api, browser: Browser, template: dict[str, Any]
) -> None:
    name = template["name"]
    expect(item(page, name)).to_contain_text("version 1")
    expect(item(page, name)).to_contain_text("Prompt, Negative prompt, Seed")
    press(page, "Use", name)
    expect(page.get_by_label("Template", exact=True)).to_be_focused()
    expect(page.get_by_label("Template", exact=True)).to_have_value(name)
    prompt(page).fill(words())
    with page.expect_response("**/generate/avatar") as answer:
        page.get_by_role("button", name="Generate", exact=True).click()
    done = api.wait(answer.value.json()["generation_id"])
    assert (done["status"], done["parameters"]["template"]) == ("completed", name)

    # A pose has no slot in this graph, and the refusal stands at the pose.
    give(page, POSE, "drop", fresh(), "pose.png")
    expect(page.locator(f"{POSE} img")).to_be_visible()
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="correct the marked fields")).to_be_visible()
    browser.complaints.clear()  # the browser notes each answer that is an error


def test_an_export_is_imported_again(
    page: Page, api: Api, template: dict[str, Any], tmp_path: Path, browser: Browser
) -> None:
    name = template["name"]
    with page.expect_download() as download:
        press(page, "Download", name)
    path = tmp_path / "template.json"
    download.value.save_as(path)
    exported = json.loads(path.read_text(encoding="utf-8"))
    assert (exported["name"], exported["prompt"]) == (name, template["prompt"])

    page.get_by_label("Import…").set_input_files(path)
    expect(page.locator(".avatarforge-templates .avatarforge-status")).to_contain_text("exists")
    browser.complaints.clear()
    exported["name"] = other = f"{name} again"
    path.write_text(json.dumps(exported), encoding="utf-8")
    page.get_by_label("Import…").set_input_files(path)
    expect(item(page, other)).to_be_visible()
    saved = api.get(f"/templates/{other}").json()
    assert {slot: [place["node"] for place in places] for slot, places in saved["slots"].items()} == {
        slot: [place["node"] for place in places] for slot, places in template["slots"].items()
    }


def test_a_deleted_template_can_be_restored(page: Page, api: Api, template: dict[str, Any]) -> None:
    name = template["name"]
    press(page, "Delete", name)
    expect(item(page, name)).to_have_count(0)
    assert api.get(f"/templates/{name}").status_code == 404
    page.get_by_role("button", name="Undo").click()
    expect(item(page, name)).to_be_visible()
    assert api.get(f"/templates/{name}").json()["prompt"] == template["prompt"]


def test_a_built_in_family_is_a_start(page: Page, tmp_path: Path, api: Api) -> None:
    page.get_by_label("Start from a built-in family").select_option("sd15")
    with page.expect_download() as download:
        page.locator(".avatarforge-templates-start").get_by_role("button", name="Download").click()
    path = tmp_path / "template.json"
    download.value.save_as(path)
    body = {**json.loads(path.read_text(encoding="utf-8")), "name": f"own {secrets.token_hex(4)}"}
    response = api.post("/templates/import", json=body)
    assert response.status_code == 200, response.text
    assert {"prompt", "negative", "pose", "seed", "width", "height", "output"} <= set(
        response.json()["slots"]
    )


def test_the_list_fits_and_can_be_read_aloud(page: Page, api: Api) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert (violations(page, "html"), too_wide(page)) == ([], [])
    page.set_viewport_size(NARROW)
    open_panel(page, api)
    page.locator("summary", has_text="Templates").click()
    expect(page.get_by_role("list", name="Templates").locator("li").first).to_be_visible()
    assert (violations(page, "html"), too_wide(page)) == ([], [])
    page.emulate_media(color_scheme="light")
