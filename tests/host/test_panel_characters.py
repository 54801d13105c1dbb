"""Characters in the panel, in a real browser: the list, the page of one, and new pictures of it."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from browser import Browser
from generating import fresh
from panels import (
    WIDE,
    fresh_panel,
    give,
    open_panel_browser,
    too_wide,
    violations,
    words,
)
from playwright.sync_api import Locator, Page, ViewportSize, expect

from lab.api import PREFIX, Api

ROOT = Path(__file__).resolve().parents[2]
CHINESE = json.loads((ROOT / "locales" / "zh" / "main.json").read_text(encoding="utf-8"))["avatarforge"]
PHONE: ViewportSize = {"width": 390, "height": 844}
SHOWN: tuple[tuple[ViewportSize, Literal["light", "dark"]], ...] = ((WIDE, "light"), (PHONE, "dark"))
ZONE = ".avatarforge-reference-zone"
WHOLE, FACE = f"{ZONE}:nth-of-type(1)", f"{ZONE}:nth-of-type(2)"
#: Drops a picture of this page, as a browser gives it: without a file, as a link.
DROP_LINK = """([target, link]) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.setData("text/uri-list", link);
    const event = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer });
    document.querySelector(target).dispatchEvent(event);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        yield shown
        shown.evaluate("() => localStorage.clear()")
        shown.emulate_media(color_scheme="light")


def new_name() -> str:
    """A name that no other test has."""
    return f"Mira {secrets.token_hex(4)}"


def saved(api: Api, **content: Any) -> dict[str, Any]:
    """A character of this test alone."""
    body = {"name": new_name(), "description": "a young woman, red hair", **content}
    response = api.post("/characters", json=body)
    assert response.status_code == 200, response.text
    character: dict[str, Any] = response.json()
    return character


def now(api: Api, character: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/characters/{character['character_id']}").json()
    return found


def open_character(page: Page, api: Api, character: dict[str, Any]) -> None:
    # The query makes it a new page, and not only another view of the same one.
    page.goto(f"{api.base_url}/?{secrets.token_hex(4)}#/characters/{character['character_id']}")
    expect(heading(page, character["name"])).to_be_visible()
    # The poses of the library come last.
    expect(page.get_by_role("radio", name="waving").first).to_be_attached()


def heading(page: Page, name: str) -> Locator:
    return page.get_by_role("heading", name=name, exact=True)


def new_picture(page: Page, name: str) -> Locator:
    return page.get_by_role("form", name=f"New picture of {name}")


def pick(where: Locator, name: str) -> None:
    where.get_by_label(name, exact=True).check()


def section(page: Page, title: str) -> Locator:
    """A group of the character's page, opened."""
    found = page.locator(".avatarforge-character-section", has=page.locator("summary", has_text=title))
    if found.get_attribute("open") is None:
        found.locator("summary").click()
    return found


def own_pictures(page: Page) -> Locator:
    return page.get_by_role("list", name="Pictures", exact=True).locator("button")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("button", name="Save changes")).to_be_hidden()


def test_a_character_is_saved_and_drawn_in_a_few_steps_and_its_picture_leads_back(
    page: Page, api: Api
) -> None:
    name = new_name()
    page.get_by_role("button", name="Characters", exact=True).click()
    page.get_by_role("button", name="New character").click()
    dialog = page.get_by_role("dialog", name="New character")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_label("Name")).to_be_focused()
    expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Description").fill("a young woman, red hair")
    dialog.get_by_role("button", name="Create").click()
    expect(heading(page, name)).to_be_focused()

    form = new_picture(page, name)
    expect(form.get_by_role("radio", name="waving")).to_be_attached()
    pick(form, "waving")
    pick(form, "Happy")
    pick(form, "Left")
    with page.expect_request(f"**{PREFIX}/generate_pose?pose=left") as sent:
        form.get_by_role("button", name="Generate").click()
    (pose,) = [item for item in api.get("/poses/library").json()["built_in"] if item["name"] == "waving"]
    (character,) = api.get("/characters", params={"q": name}).json()["characters"]
    assert json.loads(sent.value.post_data or "") == {
        "character_id": character["character_id"],
        "pose_id": pose["pose_id"],
        "expression": "happy",
    }
    expect(own_pictures(page)).to_have_attribute("aria-label", re.compile("^Happy, View, Finished$"))
    own_pictures(page).click()
    expect(page.get_by_role("region", name="Generation")).to_be_visible()
    page.get_by_role("button", name="Back to the character").click()
    expect(heading(page, name)).to_be_focused()
    expect(own_pictures(page)).to_have_count(1)


def test_outfits_expressions_and_the_usual_pose_are_saved_together_as_one_version(
    page: Page, api: Api
) -> None:
    loras = [{"name": "gone.safetensors", "strength": 0.8}]
    character = saved(api, defaults={"width": 64, "height": 64}, loras=loras)
    open_character(page, api, character)
    description = section(page, "Description")
    expect(page.get_by_role("button", name="Save changes")).to_be_hidden()
    description.get_by_role("group", name="gone.safetensors").get_by_role("spinbutton").fill("0.5")
    outfits = section(page, "Outfits")
    outfits.get_by_role("button", name="Add an outfit").click()
    expect(outfits.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Winter coat")
    page.get_by_role("button", name="Save changes").click()
    expect(outfits.get_by_label("In words")).to_be_focused()
    expect(outfits.get_by_label("In words")).to_have_attribute("aria-invalid", "true")
    page.keyboard.type("a long red coat, boots")
    give(page, ".avatarforge-named-list li", "drop", fresh(), "coat.png")
    expect(outfits.get_by_role("img", name="Picture of the outfit")).to_be_visible()
    expressions = section(page, "Expressions")
    expressions.get_by_role("button", name="Add an expression").click()
    expressions.get_by_label("Name").fill("smug")
    expressions.get_by_label("In words").fill("a smug grin")
    pick(section(page, "Poses"), "kneeling")
    save(page)
    found = now(api, character)
    assert found["version"] == 2
    assert [(lora["name"], lora["strength"]) for lora in found["loras"]] == [("gone.safetensors", 0.5)]
    (coat,) = found["outfits"]
    assert (coat["name"], coat["words"], bool(coat["file_id"])) == (
        "Winter coat",
        "a long red coat, boots",
        True,
    )
    assert found["expressions"] == [{"name": "smug", "words": "a smug grin"}]
    pose = api.get(f"/poses/library/{found['defaults']['pose_id']}").json()
    assert (pose["name"], found["defaults"]["width"]) == ("kneeling", 64)
    # They can be chosen at once.
    form = new_picture(page, character["name"])
    expect(form.get_by_role("radio", name="Winter coat")).to_be_attached()
    expect(form.get_by_role("radio", name="smug")).to_be_attached()


def test_an_old_version_comes_back_as_the_newest(page: Page, api: Api) -> None:
    character = saved(api, clothing="a grey dress")
    path = f"/characters/{character['character_id']}"
    api.request("PATCH", path, json={"clothing": "a blue dress", "family": "doll"})
    open_character(page, api, character)
    versions = section(page, "Versions")
    expect(versions.get_by_role("listitem")).to_have_count(2)
    versions.get_by_role("button", name="Put version 1 into the form").click()
    save(page)
    found = now(api, character)
    assert (found["version"], found["clothing"], found["family"]) == (3, "a grey dress", None)
    expect(versions.get_by_role("listitem")).to_have_count(3)


def test_views_seeds_and_lost_answers_of_a_new_picture(page: Page, api: Api, browser: Browser) -> None:
    character = saved(api, seed=2**64 - 1, outfits=[{"name": "Armour", "words": "steel plate armour"}])
    open_character(page, api, character)
    form = new_picture(page, character["name"])
    generate = form.get_by_role("button", name="Generate")
    keys = []

    def lose(route: Any) -> None:
        keys.append((route.request.headers["idempotency-key"], route.request.post_data))
        route.abort()

    # An answer that never came is asked for with the same key.
    pick(form, "Armour")
    page.route("**/generate/avatar", lose)
    for _ in range(2):
        generate.click()
        expect(form.get_by_role("alert")).to_contain_text("is not responding")
        expect(form).to_have_attribute("aria-busy", "false")
    assert len(keys) == 2 and keys[0] == keys[1]
    browser.complaints.clear()  # the browser notes each request that fails
    page.unroute("**/generate/avatar")

    # The same choices again are another picture, and the page says so.
    sent = []
    for _ in range(2):
        with page.expect_response(f"**{PREFIX}/generate/avatar") as answer:
            generate.click()
        assert json.loads(answer.value.request.post_data or "")["outfit"] == "Armour"
        sent.append(answer.value.json()["generation_id"])
        expect(form).to_have_attribute("aria-busy", "false")
    seeds = [api.wait(id_)["parameters"]["seed"] for id_ in sent]
    assert seeds[0] == 2**64 - 1 != seeds[1]
    expect(page.locator(".avatarforge-notices")).to_contain_text("made with a new seed")

    # Several views are a sheet. A reload keeps what was chosen, also what is offered only later.
    for view in ("Back", "Front"):
        pick(form, view)
    pick(form, "waving")
    pick(form, "Happy")
    page.reload()
    expect(form.get_by_label("waving", exact=True)).to_be_checked()
    for chosen in ("Armour", "Happy", "Front", "Back"):
        expect(form.get_by_label(chosen, exact=True)).to_be_checked()
    pick(form, "Usual pose")
    pick(form, "None in particular")
    with page.expect_request(f"**{PREFIX}/generate_all_poses") as request:
        generate.click()
    assert json.loads(request.value.post_data or "")["views"] == ["front", "back"]
    expect(own_pictures(page)).to_have_count(3)
    expect(own_pictures(page).first).to_have_attribute("aria-label", re.compile("Sheet, Finished$"))


def test_references_come_from_files_and_pictures_of_the_page_and_move_between_roles(
    page: Page, api: Api
) -> None:
    character = saved(api)
    made = api.wait(api.generate(character_id=character["character_id"])["generation_id"])
    open_character(page, api, character)
    references = section(page, "References")
    give(page, WHOLE, "drop", fresh(), "first.png")
    expect(references.locator(f"{WHOLE} li")).to_have_count(1)
    give(page, WHOLE, "paste", fresh(), "second.png")
    expect(references.locator(f"{WHOLE} li")).to_have_count(2)
    references.get_by_label("View of reference 1").select_option("left")
    references.get_by_role("img", name="Reference 2").drag_to(page.locator(f"{FACE} h4"))
    expect(references.locator(f"{FACE} li")).to_have_count(1)
    # With the keyboard: the role is a list.
    role = references.get_by_label("Role of reference 2")
    expect(role).to_be_focused()
    role.select_option("Style")
    expect(references.get_by_label("Role of reference 2")).to_be_focused()

    page.evaluate(DROP_LINK, [FACE, "http://127.0.0.1:9/elsewhere.png"])
    expect(references.get_by_role("status").last).to_contain_text("no picture of this server")
    # Both in view: the browser starts no drag from a place that was scrolled away.
    page.set_viewport_size({"width": 1400, "height": 1600})
    own_pictures(page).drag_to(page.locator(f"{FACE} h4"))
    expect(references.locator(f"{FACE} li")).to_have_count(1)
    expect(references.locator("summary")).to_have_text("References 3")
    save(page)
    found = now(api, character)
    assert [(item["role"], item["view"]) for item in found["references"]] == [
        ("identity", "left"),
        ("style", None),
        ("face", None),
    ]
    content = api.get(f"/files/{found['references'][2]['file_id']}").content
    assert content == api.root(made["output_files"][0]["url"]).content
    assert found["version"] == 2
    expect(page.locator(".avatarforge-portrait")).to_be_visible()
    references.get_by_role("button", name="Remove reference 1").click()
    expect(references.locator(f"{WHOLE} button").first).to_be_focused()
    save(page)
    assert [item["role"] for item in now(api, character)["references"]] == ["style", "face"]


def test_what_is_not_saved_outlives_a_reload_and_what_is_typed_during_a_save_stays(
    page: Page, api: Api
) -> None:
    character = saved(api)
    open_character(page, api, character)
    clothing = section(page, "Description").get_by_label("Clothing")
    clothing.fill("a grey")
    expect(page.get_by_text("as it was saved last")).to_be_visible()
    page.reload()
    expect(page.get_by_text("There are unsaved changes.")).to_be_visible()
    expect(section(page, "Description").get_by_label("Clothing")).to_have_value("a grey")

    def type_meanwhile(route: Any) -> None:
        if route.request.method == "PATCH":
            clothing.press_sequentially(" dress")
        route.continue_()

    clothing.focus()
    page.keyboard.press("End")
    page.route(f"**/characters/{character['character_id']}", type_meanwhile)
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator(".avatarforge-character-head")).to_contain_text("Version 2")
    expect(clothing).to_have_value("a grey dress")
    assert now(api, character)["clothing"] == "a grey"
    page.unroute_all()
    save(page)
    assert now(api, character)["clothing"] == "a grey dress"

    clothing.fill("a red coat")
    page.get_by_role("button", name="Discard changes").click()
    expect(clothing).to_have_value("a grey dress")
    expect(page.get_by_role("button", name="Save changes")).to_be_hidden()
    page.reload()
    expect(heading(page, character["name"])).to_be_visible()
    expect(page.get_by_role("button", name="Save changes")).to_be_hidden()
    assert now(api, character)["version"] == 3


def test_a_change_elsewhere_is_not_overwritten_unseen_and_a_refusal_is_shown(
    page: Page, api: Api, browser: Browser
) -> None:
    other, character = saved(api), saved(api)
    open_character(page, api, character)
    description = section(page, "Description")
    description.get_by_label("Clothing").fill("a grey dress")
    path = f"/characters/{character['character_id']}"
    assert api.request("PATCH", path, json={"style": "watercolor"}).status_code == 200
    page.get_by_role("button", name="Save changes").click()
    changed = page.get_by_role("alert").filter(has_text="version 2 now")
    expect(changed).to_be_visible()
    assert now(api, character)["clothing"] is None
    page.reload()
    expect(changed).to_be_visible()
    description = section(page, "Description")
    description.get_by_label("Style").fill("watercolor")
    save(page)
    found = now(api, character)
    assert (found["version"], found["clothing"], found["style"]) == (3, "a grey dress", "watercolor")
    description.get_by_label("Name").fill(other["name"])
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("alert").filter(has_text="exists")).to_be_visible()
    assert now(api, character)["name"] == character["name"]
    page.goto(f"{api.base_url}/?gone#/characters/00000000-0000-4000-8000-000000000000")
    expect(page.locator(".avatarforge-character-top > .avatarforge-status")).to_contain_text("No character")
    # The browser notes what was refused: the outdated change, the name that is taken, and what is not there.
    assert [re.findall(r"status of (\d+)", complaint) for complaint in browser.complaints] == [
        ["412"],
        ["409"],
        ["404"],
    ]
    browser.complaints.clear()


def test_the_list_loads_its_scripts_when_needed_tries_again_searches_and_takes_the_keyboard(
    page: Page, api: Api, browser: Browser
) -> None:
    assert not any("/panel/characters/" in url and url.endswith(".mjs") for url in browser.requested)
    marker = secrets.token_hex(4)
    characters = [saved(api, name=f"{name} {marker}") for name in ("Anna", "Berta", "Clara")]
    page.route("**/characters?*", lambda route: route.abort())
    page.get_by_role("button", name="Characters", exact=True).click()
    view = page.get_by_role("region", name="Characters")
    expect(view.get_by_role("status")).to_contain_text("is not responding")
    assert any(url.endswith("/panel/characters/characters.mjs") for url in browser.requested)
    browser.complaints.clear()  # the browser notes each request that fails
    page.unroute("**/characters?*")
    view.get_by_role("button", name="Try again").click()
    expect(view.get_by_role("button", name=re.compile(f"Clara {marker}"))).to_be_visible()
    expect(view.get_by_role("button", name="Try again")).to_be_hidden()

    found = page.get_by_role("list", name="Characters").locator("button")
    search = page.get_by_label("Search characters")
    search.fill(f"Berta {marker}")
    expect(found).to_have_count(1)
    search.fill(f"nobody {marker}")
    expect(page.get_by_text("No character matches.")).to_be_visible()
    search.fill(marker)
    expect(found).to_have_count(3)
    found.first.focus()
    page.keyboard.press("ArrowRight")
    expect(found.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(heading(page, characters[1]["name"])).to_be_focused()
    page.get_by_role("button", name="All characters").click()
    expect(found.nth(1)).to_be_focused()
    page.go_back()
    expect(heading(page, characters[1]["name"])).to_be_visible()
    page.get_by_role("button", name="Gallery", exact=True).click()
    expect(page.locator(".avatarforge-gallery-view")).to_be_visible()
    expect(page.locator(".avatarforge-characters")).to_be_hidden()


def test_a_character_is_exported_deleted_and_imported_and_one_that_differs_as_a_copy(
    page: Page, api: Api, tmp_path: Path, browser: Browser
) -> None:
    character = saved(api)
    name, path = character["name"], f"/characters/{character['character_id']}"
    first = api.get(f"{path}/export").content
    api.request("PATCH", path, json={"clothing": "a blue dress"})
    open_character(page, api, character)
    page.get_by_role("button", name="Export…").click()
    dialog = page.get_by_role("dialog", name=f"Export {name}")
    dialog.get_by_label("Licence").fill("CC BY 4.0")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Export", exact=True).click()
    file = tmp_path / "character.zip"
    download.value.save_as(file)
    assert file.read_bytes() == api.get(f"{path}/export", params={"licence": "CC BY 4.0"}).content
    expect(dialog).to_be_hidden()

    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("dialog", name=f"Delete {name}?").get_by_role("button", name="Delete").click()
    expect(page.get_by_label("Search characters")).to_be_visible()
    assert api.get(path).status_code == 404
    page.get_by_label("Import a character").set_input_files(file)
    expect(heading(page, name)).to_be_visible()
    assert now(api, character)["clothing"] == "a blue dress"

    # Another second version is here.
    api.delete(path)
    imported = api.post("/characters/import", data=first, headers={"Content-Type": "application/zip"})
    assert imported.status_code == 200, imported.text
    api.request("PATCH", path, json={"clothing": "a grey dress"})
    page.get_by_role("button", name="All characters").click()
    page.get_by_label("Import a character").set_input_files(file)
    dialog = page.get_by_role("dialog", name="Import a character")
    dialog.get_by_label("Its name here").fill(f"{name} again")
    dialog.get_by_role("button", name="Import").click()
    expect(heading(page, f"{name} again")).to_be_visible()
    (copy,) = api.get("/characters", params={"q": f"{name} again"}).json()["characters"]
    assert copy["character_id"] != character["character_id"]
    assert now(api, character)["clothing"] == "a grey dress"
    (complaint,) = browser.complaints  # the browser's own, of the first answer
    assert "409" in complaint
    browser.complaints.clear()


def test_everything_fits_and_can_be_read_aloud_in_both_themes_sizes_and_languages(
    page: Page, api: Api, browser: Browser
) -> None:
    picture = api.upload(fresh(), "reference")["file_id"]
    character = saved(
        api,
        description="a young woman with a very-long-word-that-has-no-place-to-break-and-goes-on-and-on " * 5,
        references=[{"file_id": picture}],
        outfits=[{"name": "Winter coat", "words": "a long red coat", "file_id": picture}],
        expressions=[{"name": "smug", "words": "a smug grin"}],
    )
    api.wait(api.generate(character_id=character["character_id"], prompt=words())["generation_id"])
    open_character(page, api, character)
    for title in ("Description", "References", "Outfits", "Expressions", "Poses", "Versions", "Matrices"):
        section(page, title)
    section(page, "Description").get_by_label("Clothing").fill("a grey dress")  # shows the bar
    for size, scheme in SHOWN:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        expect(page.get_by_role("button", name="Save changes")).to_be_in_viewport()
        assert (violations(page, ".avatarforge-characters"), too_wide(page)) == ([], [])
    page.get_by_role("button", name="Discard changes").click()
    page.get_by_role("button", name="All characters").click()
    expect(page.get_by_role("list", name="Characters").locator("button").first).to_be_visible()
    assert (violations(page, ".avatarforge-characters"), too_wide(page)) == ([], [])
    # On a phone, too, the three tabs are there.
    for name in ("Create", "Gallery", "Characters"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-current", "page")

    engine = browser.page.context.browser
    assert engine is not None
    chinese = engine.new_context(locale="zh-CN", viewport=PHONE)
    try:
        shown = chinese.new_page()
        shown.goto(f"{api.base_url}/#/characters/{character['character_id']}")
        title = CHINESE["new_picture_of"].format(name=character["name"])
        expect(shown.get_by_role("heading", name=title)).to_be_visible()
        for key in ("description", "references", "outfits", "versions"):
            summaries = shown.locator(".avatarforge-character-section > summary")
            expect(summaries.filter(has_text=CHINESE[key])).to_be_visible()
        assert too_wide(shown) == []
    finally:
        chinese.close()
