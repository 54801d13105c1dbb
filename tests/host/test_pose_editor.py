"""The pose library and the pose editor, opened from the panel's page in a real browser."""

from __future__ import annotations

import json
import math
import re
import secrets
from collections.abc import Iterator, Sequence

import pytest
from browser import Browser
from panels import (
    POSE,
    REFERENCE,
    WIDE,
    fresh_panel,
    give,
    open_panel,
    open_panel_browser,
    prompt,
    violations,
    words,
)
from pictures import picture
from playwright.sync_api import CDPSession, Page, ViewportSize, expect
from pose_editing import (
    body_of,
    drag,
    editor,
    handle,
    library,
    middle,
    place,
    pose_name,
    pose_tile,
    save_as,
    saved_pose,
)
from pose_formats import FRAME

from lab.api import PREFIX, Api

PHONE: ViewportSize = {"width": 390, "height": 800}
NOSE, NECK, RIGHT_SHOULDER, RIGHT_ELBOW, RIGHT_WRIST, LEFT_WRIST = 0, 1, 2, 3, 4, 7
LEFT_ANKLE, RIGHT_EYE, LEFT_EYE, LEFT_EAR = 13, 14, 15, 17
#: The elements of a dialog that reach out of the window.
CUT_OFF = """(dialog) => [...dialog.querySelectorAll("button, input, select, svg, label")]
    .filter((element) => element.checkVisibility())
    .filter((element) => {
        const { left, right } = element.getBoundingClientRect();
        return left < -1 || right > innerWidth + 1;
    })
    .map((element) => element.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        yield shown


def from_neck(points: Sequence[tuple[float, float] | None]) -> list[tuple[float, float]]:
    """All joints, measured from the neck."""
    there = [point for point in points if point is not None]
    assert len(there) == len(points)
    (left, top) = there[NECK]
    return [(x - left, y - top) for x, y in there]


def open_library(page: Page) -> None:
    page.locator(POSE).get_by_role("button", name="Library").click()
    expect(pose_tile(page, "standing")).to_be_visible()


def open_new(page: Page) -> None:
    """Open the editor with a standing figure."""
    page.locator(POSE).get_by_role("button", name="Edit pose").click()
    expect(handle(page, NOSE)).to_be_focused()


def test_a_built_in_pose_is_found_used_and_sent_with_its_id(page: Page, api: Api) -> None:
    open_library(page)
    expect(library(page).locator("li svg").first).to_be_visible()
    library(page).get_by_role("searchbox").fill("waving")
    expect(pose_tile(page, "standing")).to_have_count(0)
    pose_tile(page, "waving").click()
    expect(pose_tile(page, "waving")).to_have_attribute("aria-pressed", "true")
    library(page).get_by_label("Mirrored").check()
    library(page).get_by_role("button", name="Use", exact=True).click()
    slot = page.locator(POSE)
    expect(slot.locator("svg")).to_be_visible()
    expect(slot.locator(".avatarforge-name")).to_have_text("waving")
    expect(slot.get_by_role("status")).to_have_text("Mirrored")
    prompt(page).fill(words())
    with page.expect_request(f"**{PREFIX}/generate/avatar") as sent:
        page.get_by_role("button", name="Generate", exact=True).click()
    body = json.loads(sent.value.post_data or "")
    assert body["pose_id"] == api.get("/poses/library/waving").json()["pose_id"]
    assert body["pose_mirrored"] is True
    assert "pose_file_id" not in body
    # A reload brings it back.
    page.reload()
    expect(slot.locator(".avatarforge-name")).to_have_text("waving")
    expect(slot.get_by_role("status")).to_have_text("Mirrored")
    # A file takes its place, and nothing of the library is sent any more.
    give(page, POSE, "drop", picture(secrets.randbits(64)), "pose.png")
    expect(slot.get_by_role("status")).to_have_text("Uploaded.")
    expect(slot.locator("svg")).to_be_hidden()
    with page.expect_request(f"**{PREFIX}/generate/avatar") as sent:
        page.get_by_role("button", name="Generate", exact=True).click()
    body = json.loads(sent.value.post_data or "")
    assert body.keys() & {"pose_id", "pose_mirrored", "pose_file_id"} == {"pose_file_id"}


def test_a_pose_is_edited_with_the_mouse_and_saved(page: Page, api: Api) -> None:
    name = pose_name()
    open_new(page)
    before = {joint: place(page, joint) for joint in range(18)}
    drag(page, RIGHT_WRIST, -40, -120)
    after = {joint: place(page, joint) for joint in range(18)}
    assert [joint for joint in range(18) if after[joint] != before[joint]] == [RIGHT_WRIST]
    assert after[RIGHT_WRIST][0] < before[RIGHT_WRIST][0] and after[RIGHT_WRIST][1] < before[RIGHT_WRIST][1]
    # One drag is one step.
    page.keyboard.press("Control+z")
    assert place(page, RIGHT_WRIST) == before[RIGHT_WRIST]
    page.keyboard.press("Control+Shift+Z")
    assert place(page, RIGHT_WRIST) == after[RIGHT_WRIST]
    editor(page).get_by_label("Keep the lengths of limbs").check()
    length = math.dist(after[RIGHT_SHOULDER], after[RIGHT_ELBOW])
    drag(page, RIGHT_ELBOW, -80, -80)
    turned = {joint: place(page, joint) for joint in range(18)}
    assert turned[RIGHT_ELBOW] != after[RIGHT_ELBOW] and turned[RIGHT_WRIST] != after[RIGHT_WRIST]
    assert math.dist(turned[RIGHT_SHOULDER], turned[RIGHT_ELBOW]) == pytest.approx(length)
    save_as(page, name)
    expect(page.locator(POSE).locator(".avatarforge-name")).to_have_text(name)
    # The canvas is extended where the figure left it.
    assert from_neck(body_of(api, name)) == [
        pytest.approx(point, abs=0.02) for point in from_neck([turned[joint] for joint in range(18)])
    ]


def test_everything_can_be_done_with_the_keyboard(page: Page, api: Api) -> None:
    name = pose_name()
    page.locator(POSE).get_by_role("button", name="Library").focus()
    page.keyboard.press("Enter")
    expect(library(page).locator("li button").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(library(page)).to_have_count(0)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(handle(page, NOSE)).to_be_focused()
    page.keyboard.press("End")
    expect(handle(page, "left_hand")).to_be_focused()
    page.keyboard.press("Home")
    for _ in range(LEFT_WRIST):
        page.keyboard.press("PageDown")
    expect(handle(page, LEFT_WRIST)).to_be_focused()
    x, y = place(page, LEFT_WRIST)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    assert place(page, LEFT_WRIST) == pytest.approx((x + 1, y - 10))
    expect(handle(page, LEFT_WRIST)).to_have_attribute("aria-label", re.compile("^Left wrist: "))
    page.keyboard.press("Control+z")
    assert place(page, LEFT_WRIST) == pytest.approx((x + 1, y))
    for _ in range(LEFT_EAR - LEFT_WRIST):
        page.keyboard.press("PageDown")
    page.keyboard.press("Delete")
    expect(handle(page, LEFT_EAR)).to_be_hidden()
    editor(page).get_by_label("Name").focus()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(editor(page)).to_have_count(0)
    body = body_of(api, name)
    assert body[LEFT_WRIST] == pytest.approx((x + 1, y), abs=0.01)
    assert body[LEFT_EAR] is None


def eyes_apart(page: Page) -> float:
    """How far apart the eyes are in the window."""
    return math.dist(middle(page, RIGHT_EYE), middle(page, LEFT_EYE))


def finger(touch: CDPSession, kind: str, *places: tuple[float, float]) -> None:
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
    touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_the_view_is_zoomed_and_moved_and_shows_what_is_selected(page: Page) -> None:
    open_new(page)
    apart = eyes_apart(page)
    nose = middle(page, NOSE)
    page.mouse.move(*nose)
    page.mouse.wheel(0, -600)
    expect(editor(page).locator(".avatarforge-zoomed")).to_have_count(1)
    assert middle(page, NOSE) == pytest.approx(nose, abs=1.5)
    assert eyes_apart(page) == pytest.approx(apart * math.exp(0.9), rel=0.01)
    # A joint follows the pointer, however large it is shown. The mouse counts whole pixels.
    drag(page, RIGHT_EYE, -30, 10)
    x, y = middle(page, RIGHT_EYE)
    page.keyboard.press("Control+z")
    back = middle(page, RIGHT_EYE)
    assert (x - back[0], y - back[1]) == pytest.approx((-30, 10), abs=1.5)
    # Beside the figure, the view is moved.
    page.mouse.move(nose[0] + 150, nose[1] - 40)
    page.mouse.down()
    page.mouse.move(nose[0] + 130, nose[1] - 70)
    page.mouse.up()
    assert middle(page, NOSE) == pytest.approx((nose[0] - 20, nose[1] - 30), abs=1.5)
    expect(editor(page).get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")
    # With keys, what is selected comes into view.
    page.keyboard.press("+")
    page.keyboard.press("PageUp")
    expect(handle(page, LEFT_ANKLE)).to_be_focused()
    stage = editor(page).locator(".avatarforge-pose-stage").bounding_box()
    assert stage is not None
    x, y = middle(page, LEFT_ANKLE)
    assert stage["x"] < x < stage["x"] + stage["width"] and stage["y"] < y < stage["y"] + stage["height"]
    page.keyboard.press("0")
    assert eyes_apart(page) == pytest.approx(apart)


def test_a_finger_drags_a_joint_on_a_phone(browser: Browser, api: Api) -> None:
    engine = browser.page.context.browser
    assert engine is not None
    phone = engine.new_context(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    try:
        shown = phone.new_page()
        open_panel(shown, api)
        open_new(shown)
        touch = phone.new_cdp_session(shown)
        before = place(shown, LEFT_WRIST)
        x, y = middle(shown, LEFT_WRIST)
        # A second finger zooms, and takes back what the first one has moved.
        apart = eyes_apart(shown)
        stage = editor(shown).locator("svg[viewBox]").first
        whole = str(stage.get_attribute("viewBox"))
        finger(touch, "touchStart", (x, y))
        finger(touch, "touchMove", (x + 20, y))
        assert place(shown, LEFT_WRIST) != before
        finger(touch, "touchStart", (x + 20, y), (x + 20, y - 50))
        assert place(shown, LEFT_WRIST) == before
        finger(touch, "touchMove", (x + 20, y), (x + 20, y - 150))
        finger(touch, "touchEnd")
        assert place(shown, LEFT_WRIST) == before
        assert eyes_apart(shown) == pytest.approx(3 * apart, rel=0.02)
        expect(editor(shown).get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")
        # Not a tap: Chromium drops one that comes right after two fingers.
        editor(shown).get_by_role("button", name="Fit").click()
        expect(stage).to_have_attribute("viewBox", whole)
        assert eyes_apart(shown) == pytest.approx(apart)
        x, y = middle(shown, LEFT_WRIST)
        finger(touch, "touchStart", (x + 8, y + 8))  # beside it, as fingers are
        finger(touch, "touchMove", (x + 20, y - 30))
        finger(touch, "touchMove", (x + 38, y - 72))
        finger(touch, "touchEnd")
        after = place(shown, LEFT_WRIST)
        assert after[0] > before[0] and after[1] < before[1]
        scale = (before[1] - after[1]) / 80  # pixels of the pose in one of CSS
        assert after[0] - before[0] == pytest.approx(30 * scale, rel=0.05)
        assert (editor(shown).evaluate(CUT_OFF), violations(shown, "dialog")) == ([], [])
    finally:
        phone.close()


def test_hands_and_face_are_switched_and_a_hand_is_one_piece(page: Page, browser: Browser, api: Api) -> None:
    name = pose_name()
    open_new(page)
    for part in ("Right hand", "Face"):
        editor(page).get_by_label(part, exact=True).uncheck()
    expect(handle(page, "right_hand")).to_be_hidden()
    wrist, tip = place(page, LEFT_WRIST), place(page, "left_hand")
    drag(page, "left_hand", 60, 0)
    assert place(page, LEFT_WRIST) == wrist and place(page, "left_hand")[0] > tip[0]
    save_as(page, name)
    saved = api.get(f"/poses/library/{name}").json()
    person = saved["pose"]["people"][0]
    parts = ("face", "hand_left", "hand_right")
    assert [any(person.get(f"{part}_keypoints_2d") or []) for part in parts] == [False, True, False]
    # Switched on again in a pose that has none, they get a usual shape.
    page.locator(POSE).get_by_role("button", name="Edit pose").click()
    editor(page).get_by_label("Face", exact=True).check()
    editor(page).get_by_role("button", name="Save").click()
    expect(editor(page).get_by_role("alert").filter(has_text="exists already")).to_be_visible()
    editor(page).get_by_role("button", name="Replace").click()
    expect(editor(page)).to_have_count(0)
    replaced = api.get(f"/poses/library/{name}").json()
    assert (replaced["face"], replaced["hands"]) == (True, True)
    assert replaced["pose_id"] == saved["pose_id"]
    browser.complaints.clear()  # the browser notes each answer that is an error


def test_mirrored_twice_it_is_as_before_and_numbers_place_a_joint(page: Page) -> None:
    page.locator(POSE).get_by_role("button", name="Library").click()
    pose_tile(page, "archery").click()
    library(page).get_by_role("button", name="Edit pose").click()
    expect(editor(page).get_by_label("Name")).to_have_value("archery 2")
    before = [place(page, joint) for joint in (RIGHT_WRIST, LEFT_WRIST)]
    editor(page).get_by_role("button", name="Mirror").click()
    once = [place(page, joint) for joint in (RIGHT_WRIST, LEFT_WRIST)]
    assert [y for _, y in once] == pytest.approx([y for _, y in before[::-1]])
    assert once != before
    editor(page).get_by_role("button", name="Mirror").click()
    twice = [place(page, joint) for joint in (RIGHT_WRIST, LEFT_WRIST)]
    assert twice == [pytest.approx(point) for point in before]
    editor(page).get_by_role("combobox", name="Joint", exact=True).select_option("Left wrist")
    editor(page).get_by_label("X", exact=True).fill("100")
    editor(page).get_by_label("Y", exact=True).fill("120")
    editor(page).get_by_label("Y", exact=True).press("Tab")
    assert place(page, LEFT_WRIST) == (100, 120)


def test_what_was_changed_is_not_lost_without_a_question(page: Page) -> None:
    open_new(page)
    page.keyboard.press("Escape")
    expect(editor(page)).to_have_count(0)
    open_new(page)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    expect(editor(page).get_by_role("button", name="Keep editing")).to_be_focused()
    page.keyboard.press("Escape")
    expect(handle(page, NOSE)).to_be_focused()
    editor(page).get_by_role("button", name="Cancel").click()
    editor(page).get_by_role("button", name="Discard").click()
    expect(editor(page)).to_have_count(0)


def test_the_reference_lies_behind_a_new_pose(page: Page) -> None:
    give(page, REFERENCE, "drop", picture(secrets.randbits(64)), "behind.png")
    expect(page.locator(REFERENCE).get_by_role("status")).to_have_text("Uploaded.")
    open_new(page)
    behind = editor(page).locator("image")
    expect(behind).to_have_attribute("href", re.compile("/files/[0-9a-f-]{36}"))
    assert behind.get_attribute("opacity") == "0.45"
    editor(page).get_by_label("Visibility").fill("0.8")
    expect(behind).to_have_attribute("opacity", "0.8")
    group = editor(page).get_by_role("group", name="Picture behind the pose")
    group.get_by_role("button", name="Remove").click()
    expect(behind).not_to_have_attribute("href", re.compile("."))
    editor(page).locator("input[type=file]").set_input_files(
        {"name": "local.png", "mimeType": "image/png", "buffer": picture(secrets.randbits(64))}
    )
    expect(behind).to_have_attribute("href", re.compile("^blob:"))


def test_a_deleted_pose_comes_back(page: Page, api: Api) -> None:
    name = pose_name()
    saved_pose(api, name, FRAME)
    before = body_of(api, name)
    open_library(page)
    pose_tile(page, "standing").click()
    expect(library(page).get_by_role("button", name="Delete")).to_be_disabled()
    pose_tile(page, name).click()
    library(page).get_by_role("button", name="Delete").click()
    expect(pose_tile(page, name)).to_have_count(0)
    undo = library(page).get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    assert api.get(f"/poses/library/{name}").status_code == 404
    undo.click()
    expect(pose_tile(page, name)).to_have_attribute("aria-pressed", "true")
    assert body_of(api, name) == before


def test_a_pose_file_is_edited_and_a_refused_name_is_said(page: Page, browser: Browser) -> None:
    give(page, POSE, "drop", json.dumps(FRAME).encode(), "mine.json", "application/json")
    expect(page.locator(POSE).get_by_role("status")).to_have_text(re.compile("Uploaded|stored"))
    page.locator(POSE).get_by_role("button", name="Edit pose").click()
    expect(handle(page, NOSE)).to_be_focused()
    assert place(page, NOSE) == (256, 80)
    editor(page).get_by_role("button", name="Save").click()
    expect(editor(page).get_by_role("alert").filter(has_text="enter a name")).to_be_visible()
    editor(page).get_by_label("Name").fill("Waving")
    editor(page).get_by_role("button", name="Save").click()
    expect(editor(page).get_by_role("alert").filter(has_text="Choose another name")).to_be_visible()
    expect(editor(page).get_by_role("button", name="Replace")).to_have_count(0)  # it is built in
    browser.complaints.clear()  # the browser notes each answer that is an error


def test_no_serious_violation_and_nothing_cut_off_in_any_theme_or_width(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            open_library(page)
            assert (violations(page, "dialog"), library(page).evaluate(CUT_OFF)) == ([], [])
            page.keyboard.press("Escape")
            open_new(page)
            assert (violations(page, "dialog"), editor(page).evaluate(CUT_OFF)) == ([], [])
            page.keyboard.press("Escape")
    page.emulate_media(color_scheme="light")
