"""A day of work in the panel: by mouse, finger and keyboard, wide and on a phone, light and dark.

What each view can do is tested in the module of that view. Here one person goes through all of them, and
each stop is looked at: nothing serious for axe-core, nothing wider than the window, no console error.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from browser import Browser
from panels import (
    POSE,
    REFERENCE,
    WIDE,
    give,
    open_panel,
    open_panel_browser,
    prompt,
    tile,
    violations,
    words,
)
from pictures import picture
from playwright.sync_api import BrowserContext, Locator, Page, ViewportSize, expect
from pose_editing import drag, editor, library, place, pose_name, pose_tile, save_as

from lab.api import Api

PHONE: ViewportSize = {"width": 390, "height": 844}
#: Pixels by which the page can be scrolled sideways.
SIDEWAYS = "() => document.documentElement.scrollWidth - innerWidth"
LEFT_WRIST = 7
#: What an element gives to a target when somebody starts to drag it, by type.
PICK_UP = """(element) => {
    const dataTransfer = new DataTransfer();
    element.dispatchEvent(new DragEvent("dragstart", { bubbles: true, dataTransfer }));
    return Object.fromEntries(dataTransfer.types.map((type) => [type, dataTransfer.getData(type)]));
}"""
#: Drops that onto an element, perhaps in another window.
PUT_DOWN = """(element, given) => {
    const dataTransfer = new DataTransfer();
    for (const [type, value] of Object.entries(given)) dataTransfer.setData(type, value);
    for (const kind of ["dragenter", "dragover", "drop"])
        element.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
}"""
SMALL = {"width": 256, "height": 384}


@pytest.fixture(scope="module")
def api(module_factory: Any) -> Api:
    """A ComfyUI without models, whose characters are drawn."""
    return Api(module_factory(models=(), env={"AVATARFORGE_DEFAULT_FAMILY": "doll"}).url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@dataclass(frozen=True)
class Person:
    """Someone at the page. `act` is what they do to a button: a click, a tap, or Enter."""

    page: Page
    act: Callable[[Locator], None]

    def look(self, where: str = "html") -> None:
        """Nothing on the screen may be hard to read or cut off."""
        assert violations(self.page, where) == []
        assert self.page.evaluate(SIDEWAYS) <= 0

    def press(
        self, name: str | re.Pattern[str], *, within: Locator | None = None, exact: bool = True
    ) -> None:
        found = (within or self.page).get_by_role("button", name=name, exact=exact)
        self.act(found.filter(visible=True).first)

    def choose(self, form: Locator, name: str) -> None:
        """Tick a box, or choose one of several."""
        box = form.get_by_label(name, exact=True)
        expect(box).to_be_attached()
        if self.act is _enter:
            box.focus()
            self.page.keyboard.press("Space")
        else:
            self.act(box.locator("xpath=ancestor::label"))
        expect(box).to_be_checked()


def _click(target: Locator) -> None:
    target.click()


def _tap(target: Locator) -> None:
    target.tap()


def _enter(target: Locator) -> None:
    target.focus()
    expect(target).to_be_focused()
    target.page.keyboard.press("Enter")


@contextmanager
def somebody(
    browser: Browser, size: ViewportSize, scheme: Literal["light", "dark"], act: Callable[[Locator], None]
) -> Iterator[Person]:
    """A browser profile of their own. Console errors fail the test."""
    engine = browser.page.context.browser
    assert engine is not None
    touch = act is _tap
    context: BrowserContext = engine.new_context(
        viewport=size, color_scheme=scheme, has_touch=touch, is_mobile=touch
    )
    errors: list[str] = []
    try:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        yield Person(page, act)
        assert errors == []
    finally:
        context.close()


PEOPLE = [
    pytest.param(PHONE, "dark", _tap, id="phone-dark-finger"),
    pytest.param(WIDE, "light", _enter, id="wide-light-keyboard"),
    pytest.param(PHONE, "light", _enter, id="phone-light-keyboard"),
    pytest.param(WIDE, "dark", _click, id="wide-dark-mouse"),
]


@pytest.mark.parametrize(("size", "scheme", "act"), PEOPLE)
def test_one_person_does_everything(
    browser: Browser,
    api: Api,
    size: ViewportSize,
    scheme: Literal["light", "dark"],
    act: Callable[[Locator], None],
) -> None:
    with somebody(browser, size, scheme, act) as person:
        open_panel(person.page, api)
        person.look()
        text = words()
        a_sheet_is_made_and_viewed(person, text)
        a_view_is_made_again_and_compared(person)
        the_pictures_are_judged(person)
        a_picture_becomes_a_reference_and_a_pose(person)
        the_gallery_finds_it(person, text)
        a_character_is_made_and_shown_again(person)
        a_pose_is_chosen_and_edited(person)


def a_sheet_is_made_and_viewed(person: Person, text: str) -> None:
    page = person.page
    prompt(page).fill(f"{text}, red cape")
    person.press("Generate sheet")
    on_phone = (page.viewport_size or WIDE)["width"] < 600
    if on_phone:
        person.press("Gallery")
    shown = tile(page, text).first
    expect(shown).to_have_attribute("aria-label", re.compile("Finished$"))
    person.look()
    person.act(shown)
    expect(page.locator(".avatarforge-pictures img")).to_have_count(4)
    person.look()
    person.press("Picture: Back")
    viewer = page.get_by_role("dialog", name="Viewer")
    expect(viewer.locator(".avatarforge-details")).to_contain_text("Back, 2 of 4")
    person.act(viewer.get_by_role("list", name="Pictures").locator("button").nth(2))
    expect(viewer.locator(".avatarforge-details")).to_contain_text("Side, 3 of 4")
    person.press("Zoom in", within=viewer)
    person.press("Fit", within=viewer)
    person.look(".avatarforge-viewer")
    person.press("Close", within=viewer)
    expect(viewer).to_be_hidden()


def a_view_is_made_again_and_compared(person: Person) -> None:
    page = person.page
    person.press("Re-roll Back")
    takes = page.get_by_role("list", name="Takes: Back").get_by_role("button", name=re.compile("^Take"))
    expect(takes).to_have_count(2)
    expect(takes.nth(1)).to_have_attribute("aria-pressed", "true")
    person.act(takes.nth(0))
    expect(takes.nth(0)).to_have_attribute("aria-pressed", "true")
    person.look()
    person.press("Compare the takes of Back")
    compare = page.get_by_role("dialog", name="Compare")
    expect(compare.locator(".avatarforge-stage")).to_have_count(2)
    person.look(".avatarforge-viewer")
    person.press("Close", within=compare)
    expect(compare).to_be_hidden()


def the_pictures_are_judged(person: Person) -> None:
    page = person.page
    person.press(re.compile("^Continue with Back"))
    person.act(page.get_by_role("menuitem", name="Judge the pictures"))
    scores = page.get_by_role("list", name="Scores")
    expect(scores).to_have_count(4)
    # Nothing here finds keypoints, but colours are compared with the front, and faults are looked for.
    expect(scores.nth(1)).to_have_text(re.compile(r"^Colours \d+Clean$"))
    person.look()


def a_picture_becomes_a_reference_and_a_pose(person: Person) -> None:
    page = person.page
    for item, slot in (("Use as reference: whole person", REFERENCE), ("Use as pose", POSE)):
        if not page.get_by_role("button", name="Picture: Back").is_visible():
            page.go_back()  # on a phone the form has taken its place
        person.press(re.compile("^Continue with Back"))
        person.act(page.get_by_role("menuitem", name=item))
        expect(page.locator(slot).get_by_role("status")).to_have_text(re.compile("ploaded|stored"))
        person.look()
    for slot in (REFERENCE, POSE):
        person.press("Remove", within=page.locator(slot))


def the_gallery_finds_it(person: Person, text: str) -> None:
    page = person.page
    person.press("Gallery")
    page.get_by_role("searchbox", name="Search").fill(text)
    expect(page.locator(".avatarforge-gallery .avatarforge-title")).to_have_count(1)
    person.press("Filters")
    page.get_by_label("With the view").select_option("back")
    expect(page.locator(".avatarforge-gallery .avatarforge-title")).to_have_count(1)
    person.look()
    person.press("Select")
    person.act(tile(page, text))
    expect(page.get_by_text("1 selected")).to_be_visible()
    person.look()
    person.press("Favourite")
    expect(tile(page, text)).to_have_attribute("aria-label", re.compile("Favourite"))
    person.press("Done")
    person.press("Clear filters")


def a_character_is_made_and_shown_again(person: Person) -> None:
    page = person.page
    name = f"Mira {secrets.token_hex(4)}"
    person.press("Characters")
    person.press("New character")
    dialog = page.get_by_role("dialog", name="New character")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Description").fill("young woman, red hair")
    person.look()
    person.press("Create", within=dialog)
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    form = page.get_by_role("form", name=f"New picture of {name}")
    for choice in ("waving", "Happy", "Left"):
        person.choose(form, choice)
    person.look()
    person.press("Generate", within=form)
    own = page.get_by_role("list", name="Pictures", exact=True).locator("button")
    expect(own).to_have_attribute("aria-label", re.compile("Finished$"))
    person.press("New matrix…")
    matrix = page.get_by_role("form", name="Matrix")
    for choice in ("Happy", "Sad", "Front"):
        person.choose(matrix, choice)
    person.look()
    person.press("Generate matrix", within=matrix)
    expect(page.locator('.avatarforge-cell[data-status="completed"]')).to_have_count(2)
    person.look()


def a_pose_is_chosen_and_edited(person: Person) -> None:
    page = person.page
    on_phone = (page.viewport_size or WIDE)["width"] < 600
    person.press("Create" if on_phone else "Gallery")
    person.press("Library…", within=page.locator(POSE))
    library(page).get_by_role("searchbox").fill("waving")
    expect(pose_tile(page, "standing")).to_have_count(0)
    person.look("dialog")
    person.act(pose_tile(page, "waving"))
    person.press("Use", within=library(page))
    expect(page.locator(POSE).locator(".avatarforge-name")).to_have_text("waving")
    person.press("Edit pose…", within=page.locator(POSE))
    expect(editor(page)).to_be_visible()
    person.press("Mirror", within=editor(page))
    person.press("Undo", within=editor(page))
    person.look("dialog")


@pytest.fixture(scope="module")
def sheet(api: Api) -> dict[str, Any]:
    """A finished sheet whose back has two takes."""
    made = api.wait(api.generate("/generate_all_poses", prompt=words(), **SMALL, seed=7)["generation_id"])
    path = f"/generations/{made['generation_id']}"
    assert api.post(f"{path}/reroll", params={"pose": "back", "seed": 1}).status_code == 200
    api.get(path, params={"wait": 60})
    return made


@pytest.fixture
def lone(browser: Browser, api: Api) -> Iterator[Page]:
    """A page whose network the test switches off. The requests that fail are errors on its console."""
    engine = browser.page.context.browser
    assert engine is not None
    context = engine.new_context(viewport=WIDE)
    try:
        yield context.new_page()
    finally:
        context.close()


@contextmanager
def without_server(page: Page) -> Iterator[None]:
    page.context.set_offline(True)
    yield
    expect(page.get_by_text(re.compile("not responding")).first).to_be_visible()
    page.context.set_offline(False)


def test_a_server_that_goes_while_pictures_are_viewed_takes_nothing_along(
    lone: Page, api: Api, sheet: dict[str, Any]
) -> None:
    open_panel(lone, api, f"#/detail/{sheet['generation_id']}")
    takes = lone.get_by_role("list", name="Takes: Back").get_by_role("button", name=re.compile("^Take"))
    expect(takes.nth(1)).to_have_attribute("aria-pressed", "true")
    with without_server(lone):
        takes.nth(0).click()
    expect(takes.nth(1)).to_have_attribute("aria-pressed", "true")
    takes.nth(0).click()
    expect(takes.nth(0)).to_have_attribute("aria-pressed", "true")

    lone.get_by_role("button", name="Picture: Front").click()
    viewer = lone.get_by_role("dialog", name="Viewer")
    expect(viewer).to_be_visible()
    with without_server(lone):
        viewer.get_by_role("button", name="Re-roll").click()
    lone.keyboard.press("ArrowRight")
    expect(viewer.locator(".avatarforge-details")).to_contain_text("Back, 2 of 4")
    viewer.get_by_role("button", name="Compare").click()
    compare = lone.get_by_role("dialog", name="Compare")
    expect(compare.locator(".avatarforge-stage img").nth(1)).to_be_visible()
    lone.context.set_offline(True)
    compare.get_by_label("Slider").check()
    expect(compare.get_by_role("slider")).to_be_visible()
    lone.context.set_offline(False)


def test_a_server_that_goes_while_a_character_is_worked_on_takes_nothing_along(lone: Page, api: Api) -> None:
    body = {"name": f"Mira {secrets.token_hex(4)}", "description": "a young woman, red hair"}
    mira = api.post("/characters", json=body).json()
    lone.goto(f"{api.base_url}/#/characters/{mira['character_id']}")
    form = lone.get_by_role("form", name=f"New picture of {mira['name']}")
    form.get_by_label("waving", exact=True).check()
    form.get_by_label("Happy", exact=True).check()
    with without_server(lone):
        form.get_by_role("button", name="Generate").click()
    expect(form.get_by_label("Happy", exact=True)).to_be_checked()
    form.get_by_role("button", name="Generate").click()
    own = lone.get_by_role("list", name="Pictures", exact=True).locator("button")
    expect(own).to_have_attribute("aria-label", re.compile("Finished$"))

    lone.locator("summary", has_text="Description").click()
    clothing = lone.locator(".avatarforge-character-section").get_by_label("Clothing")
    clothing.fill("a green dress")
    save = lone.get_by_role("button", name="Save changes")
    with without_server(lone):
        save.click()
    expect(clothing).to_have_value("a green dress")
    save.click()
    expect(save).to_be_hidden()
    assert api.get(f"/characters/{mira['character_id']}").json()["clothing"] == "a green dress"

    lone.get_by_role("button", name="New matrix…").click()
    matrix = lone.get_by_role("form", name="Matrix")
    for choice in ("Happy", "Sad", "Front", "Left", "Back"):
        matrix.get_by_label(choice, exact=True).check()
    with without_server(lone):
        matrix.get_by_role("button", name="Generate matrix").click()
    matrix.get_by_role("button", name="Generate matrix").click()
    cells = lone.locator(".avatarforge-cell")
    expect(cells).to_have_count(6)
    # It runs on while nobody hears of it, and a reload shows the same.
    lone.context.set_offline(True)
    (batch,) = api.get("/batch", params={"q": mira["name"]}).json()["batches"]
    api.get(f"/batch/{batch['batch_id']}", params={"wait": 60})
    lone.context.set_offline(False)
    expect(lone.locator('.avatarforge-cell[data-status="completed"]')).to_have_count(6)
    lone.reload()
    expect(lone.locator('.avatarforge-cell[data-status="completed"]')).to_have_count(6)


def test_a_server_that_goes_while_a_pose_is_edited_takes_nothing_along(lone: Page, api: Api) -> None:
    open_panel(lone, api)
    slot = lone.locator(POSE)
    with without_server(lone):
        give(lone, POSE, "drop", picture(secrets.randbits(64)), "pose.png")
        expect(slot.get_by_role("status")).to_contain_text("not responding")
    slot.get_by_role("button", name="Remove").click()
    slot.get_by_role("button", name="Edit pose").click()
    drag(lone, LEFT_WRIST, -40, -120)
    moved = place(lone, LEFT_WRIST)
    name = pose_name()
    editor(lone).get_by_label("Name").fill(name)
    with without_server(lone):
        editor(lone).get_by_role("button", name="Save", exact=True).click()
    assert place(lone, LEFT_WRIST) == moved
    save_as(lone, name)
    expect(slot.locator(".avatarforge-name")).to_have_text(name)


def test_a_picture_is_dragged_from_everywhere_to_everywhere(lone: Page, api: Api) -> None:
    """Every source gives the same, so that a target that takes it from one takes it from all."""
    body = {"name": f"Mira {secrets.token_hex(4)}", "description": "a young woman, red hair"}
    mira = api.post("/characters", json=body).json()
    path = f"/characters/{mira['character_id']}"
    batch = api.post(f"{path}/matrix", json={"expressions": ["happy"], "views": ["front"]}).json()
    ended = api.get(f"/batch/{batch['batch_id']}", params={"wait": 60}).json()
    ((made, picture_url),) = [
        (
            item["generation_id"],
            api.get(f"/generations/{item['generation_id']}").json()["output_files"][0]["url"],
        )
        for item in ended["generations"]
    ]

    def at(where: str) -> None:
        lone.goto(f"{api.base_url}/?{secrets.token_hex(4)}#/{where}")

    given: dict[str, dict[str, str]] = {}
    for name, where, source in (
        ("gallery", "", ".avatarforge-gallery li"),
        ("details", f"detail/{made}", ".avatarforge-shown"),
        ("character", f"characters/{mira['character_id']}", ".avatarforge-own-pictures li"),
        ("matrix", f"characters/{mira['character_id']}/{batch['batch_id']}", ".avatarforge-cell-picture"),
    ):
        at(where)
        shown = lone.locator(source).first
        expect(shown.locator("img").first).to_be_visible()
        given[name] = shown.evaluate(PICK_UP)
    (dragged, *others) = given.values()
    assert set(dragged) == {"application/x-avatarforge-picture", "text/uri-list"}
    assert [other for other in others if other != dragged] == []
    assert picture_url in dragged["text/uri-list"]

    # The page of the character is still open: each role, and an outfit.
    at(f"characters/{mira['character_id']}")
    lone.locator("summary", has_text="References").click()
    zones = lone.locator(".avatarforge-reference-zone")
    for number, zone in enumerate(zones.all()):
        zone.evaluate(PUT_DOWN, dragged)
        expect(zones.nth(number).locator("li")).to_have_count(1)
    assert zones.count() > 3
    lone.locator("summary", has_text="Outfits").click()
    lone.get_by_role("button", name="Add an outfit").click()
    lone.locator(".avatarforge-named-list li").evaluate(PUT_DOWN, dragged)
    expect(lone.get_by_role("img", name="Picture of the outfit")).to_be_visible()

    at("")
    lone.locator(REFERENCE).evaluate(PUT_DOWN, dragged)
    expect(lone.locator(REFERENCE).get_by_role("status")).to_have_text(re.compile("ploaded|stored"))
    lone.locator(POSE).evaluate(PUT_DOWN, dragged)
    expect(lone.locator(f"{POSE} .avatarforge-name")).to_have_text(re.compile(r"^pose-front.*\.json$"))
    lone.locator(".avatarforge-head").evaluate(PUT_DOWN, dragged)
    asked = lone.get_by_role("dialog", name=re.compile("settings", re.IGNORECASE))
    expect(asked).to_be_visible()
