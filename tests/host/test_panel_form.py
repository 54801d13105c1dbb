"""What the form keeps, shows and asks, in a real browser: draft, chips, seed, pickers, used settings."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from panels import (
    POSE,
    WIDE,
    fresh_panel,
    give,
    made,
    open_panel,
    open_panel_browser,
    prompt,
    tile,
    too_wide,
    violations,
    words,
)
from pictures import picture
from playwright.sync_api import Locator, Page, Request, Route, ViewportSize, expect

from lab.api import Api
from lab.synthetic import file_name

ROOT = Path(__file__).resolve().parents[2]
CHINESE = json.loads((ROOT / "locales" / "zh" / "main.json").read_text(encoding="utf-8"))["avatarforge"]
CHECKPOINT = file_name("sd15")
PHONE: ViewportSize = {"width": 390, "height": 844}
RANDOM, FIXED = "Random: each picture is another.", "Fixed: the same settings make the same picture."
QUESTION = "this would make the same picture again"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        yield shown


def generate(page: Page) -> Locator:
    return page.get_by_role("button", name="Generate", exact=True)


def seed(page: Page) -> Locator:
    return page.get_by_label("Seed", exact=True)


def chips(page: Page) -> Locator:
    return page.get_by_role("list", name="Changed settings").get_by_role("listitem")


def question(page: Page) -> Locator:
    return page.get_by_role("alert").filter(has_text=QUESTION)


def answered(page: Page) -> None:
    expect(page.get_by_role("form")).to_have_attribute("aria-busy", "false")


def sent(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.post_data or "")
    return body


def reloaded(page: Page) -> None:
    page.reload()
    expect(page.locator(".avatarforge-drawing svg")).to_have_count(5)


def test_a_reload_in_the_middle_loses_nothing(page: Page, api: Api) -> None:
    text = words()
    prompt(page).fill(text)
    page.get_by_label("Style", exact=True).fill("watercolor")
    page.get_by_label("Realistic").check()
    page.get_by_label("Sheet", exact=True).check()
    give(page, POSE, "drop", picture(secrets.randbits(64)), "kept.png")
    expect(page.locator(POSE).get_by_role("status")).to_have_text("Uploaded.")
    seed(page).fill("18446744073709551615")
    page.get_by_label("Pictures").fill("2")
    page.get_by_text("Advanced").click()
    page.get_by_label("Steps").fill("3")
    reloaded(page)
    expect(prompt(page)).to_have_value(text)
    expect(page.get_by_label("Style", exact=True)).to_have_value("watercolor")
    expect(page.get_by_label("Realistic")).to_be_checked()
    expect(page.get_by_label("Sheet", exact=True)).to_be_checked()
    expect(page.locator(POSE).get_by_role("img", name="kept.png")).to_be_visible()
    expect(seed(page)).to_have_value("18446744073709551615")
    expect(page.get_by_label("Pictures")).to_have_value("2")
    expect(page.get_by_label("Steps")).to_have_value("3")
    page.locator(POSE).get_by_role("button", name="Remove").click()
    prompt(page).fill("")
    # A reference beside that of the slot, by the menu of a picture.
    shown = words()
    made(page, api, shown, width=128, height=128)
    tile(page, shown).click()
    page.get_by_role("button", name=re.compile("^Continue with")).click()
    page.get_by_role("menuitem", name="Use as reference: clothes").click()
    more = page.get_by_role("group", name="More references")
    expect(more.get_by_role("listitem")).to_have_attribute("aria-busy", "false")
    reloaded(page)
    expect(prompt(page)).to_have_value("")
    expect(page.locator(POSE).get_by_role("img")).to_have_count(0)
    role = page.get_by_label("Role of reference 1")
    expect(role).to_have_value("outfit")
    role.select_option("style")
    reloaded(page)
    expect(role).to_have_value("style")


def test_a_browser_without_storage_works_all_the_same(browser: Browser, api: Api) -> None:
    engine = browser.page.context.browser
    assert engine is not None
    context = engine.new_context(viewport=WIDE)
    try:
        shown = context.new_page()
        faults: list[str] = []
        shown.on("pageerror", lambda error: faults.append(str(error)))
        shown.add_init_script(
            "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no') } })"
        )
        shown.goto(f"{api.base_url}/")
        expect(shown.locator(".avatarforge-drawing svg")).to_have_count(5)
        prompt(shown).fill(words())
        with shown.expect_request("**/generate/avatar"):
            generate(shown).click()
        assert faults == []
    finally:
        context.close()


def test_changed_settings_are_chips_that_lead_to_them_and_reset_them(page: Page) -> None:
    expect(chips(page)).to_have_count(0)
    page.get_by_text("Advanced").click()
    page.get_by_label("Steps").fill("3")
    page.get_by_label("Height").fill("128")
    page.get_by_label("Camera").select_option("above")
    # What is always visible needs no chip.
    seed(page).fill("7")
    expect(chips(page)).to_have_count(3)
    page.get_by_text("Advanced").click()
    expect(page.get_by_label("Steps")).to_be_hidden()
    expect(page.get_by_role("button", name="Camera: From above")).to_be_visible()
    assert (violations(page, "html"), too_wide(page)) == ([], [])
    page.get_by_role("button", name="Steps: 3").click()
    expect(page.get_by_label("Steps")).to_be_focused()
    page.get_by_role("button", name="Reset: Height").click()
    expect(page.get_by_label("Height")).to_have_value("")
    # The focus stays in the row of chips, and leaves it with the last one.
    expect(chips(page).locator("button:focus")).to_have_count(1)
    for name in ("Steps", "Camera"):
        page.get_by_role("button", name=f"Reset: {name}").click()
    expect(chips(page)).to_have_count(0)
    expect(page.locator(".avatarforge-advanced > summary")).to_be_focused()
    expect(seed(page)).to_have_value("7")


def test_advanced_opens_into_view(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.get_by_text("Advanced").click()
    expect(page.get_by_label("Negative prompt")).to_be_in_viewport()


def test_a_random_seed_is_sent_as_none_and_can_be_fixed_afterwards(page: Page) -> None:
    prompt(page).fill(words())
    expect(seed(page)).to_have_accessible_description(re.compile(RANDOM))
    for _ in range(2):
        with page.expect_response("**/generate/avatar") as answer:
            generate(page).click()
        assert "seed" not in sent(answer.value.request)
        answered(page)
        expect(question(page)).to_be_hidden()
    used = json.loads(re.sub(r'("seed":\s*)(\d+)', r'\1"\2"', answer.value.text()))["parameters"]["seed"]
    page.get_by_role("button", name=f"Fix {used}").click()
    expect(seed(page)).to_have_value(used)
    expect(seed(page)).to_have_accessible_description(re.compile(FIXED))
    page.get_by_role("button", name="Make it random").click()
    expect(seed(page)).to_have_value("")
    expect(seed(page)).to_be_focused()


def test_a_fixed_seed_repeats_nothing_without_being_asked(page: Page, browser: Browser) -> None:
    prompt(page).fill(words())
    seed(page).fill("7")
    with page.expect_request("**/generate/avatar"):
        generate(page).click()
    answered(page)
    generate(page).click()
    expect(question(page)).to_be_visible()
    expect(page.get_by_role("button", name="With another seed")).to_be_focused()
    assert sum("/generate/avatar" in url for url in browser.requested) == 1
    assert (violations(page, "html"), too_wide(page)) == ([], [])
    # The question goes with its cause.
    prompt(page).fill(words())
    expect(question(page)).to_be_hidden()
    with page.expect_request("**/generate/avatar"):
        generate(page).click()
    answered(page)
    generate(page).click()
    with page.expect_request("**/generate/avatar") as again:
        page.get_by_role("button", name="The same again").click()
    assert sent(again.value)["seed"] == 7
    answered(page)
    reloaded(page)  # it is known after a reload, too
    generate(page).click()
    with page.expect_request("**/generate/avatar") as other:
        page.get_by_role("button", name="With another seed").click()
    assert "seed" not in sent(other.value)
    expect(seed(page)).to_have_value("")


def test_the_settings_of_a_sheet_stay_those_of_a_sheet_and_can_be_taken_back(page: Page, api: Api) -> None:
    text, mine = words(), words()
    generation = made(page, api, text, route="/generate_all_poses", seed=5)
    prompt(page).fill(mine)
    tile(page, text).click()
    page.get_by_role("button", name="Use these settings").click()
    expect(prompt(page)).to_have_value(text)
    expect(page.get_by_label("Sheet", exact=True)).to_be_checked()
    # It stays on the page, and what was entered before comes back.
    expect(page.get_by_role("heading", name=text)).to_be_visible()
    notices = page.get_by_role("list", name="Messages")
    notices.get_by_role("button", name="Undo").click()
    expect(prompt(page)).to_have_value(mine)
    expect(page.get_by_label("Free")).to_be_checked()
    page.get_by_role("button", name="Use these settings").click()
    generate(page).click()
    with page.expect_request("**/generate_all_poses") as again:
        page.get_by_role("button", name="The same again").click()
    assert sent(again.value)["seed"] == generation["parameters"]["seed"]


def test_character_and_pose_of_used_settings_are_sent_again_until_they_are_removed(
    page: Page, api: Api
) -> None:
    text = words()
    pose = api.get("/poses/library").json()["built_in"][0]["pose_id"]
    character = api.post("/characters", json={"name": text, "description": "knight"}).json()["character_id"]
    made(page, api, text, character_id=character, pose_id=pose)
    tile(page, text).click()
    page.get_by_role("button", name="Use these settings").click()
    expect(chips(page).filter(has_text=f"Character: {text}")).to_be_visible()
    expect(page.locator(f"{POSE} .avatarforge-pose-drawing svg")).to_be_visible()
    page.locator(POSE).get_by_role("button", name="Remove").click()
    seed(page).fill("")
    with page.expect_request("**/generate/avatar") as again:
        generate(page).click()
    body = sent(again.value)
    assert body["character_id"] == character and body["character_version"] == 1
    assert "pose_id" not in body and "pose_mirrored" not in body


def test_earlier_prompts_are_found_again(page: Page) -> None:
    page.evaluate("() => localStorage.clear()")  # an earlier test's answer can have come after its end
    reloaded(page)
    texts = [words() for _ in range(2)]
    for text in texts:
        prompt(page).fill(text)
        with page.expect_response("**/generate/avatar"):
            generate(page).click()
        answered(page)
    reloaded(page)
    page.get_by_role("button", name="Earlier prompts").click()
    dialog = page.get_by_role("dialog", name="Earlier prompts")
    expect(dialog.get_by_role("listitem")).to_have_text(texts[::-1])
    assert violations(page, "html") == []
    dialog.get_by_role("searchbox").fill(texts[0].split()[-1])
    expect(dialog.get_by_role("status")).to_have_text("1 found")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(prompt(page)).to_have_value(texts[0])
    expect(prompt(page)).to_be_focused()
    page.get_by_role("button", name="Earlier prompts").click()
    dialog.get_by_role("button", name="Forget all").click()
    page.get_by_role("button", name="Earlier prompts").click()
    expect(dialog.get_by_role("status")).to_contain_text("No prompt has been sent")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_preset_style_is_chosen_by_its_description(page: Page) -> None:
    page.get_by_role("button", name="Presets").click()
    dialog = page.get_by_role("dialog", name="Choose a style")
    expect(dialog.get_by_role("listitem")).to_have_count(12)
    dialog.get_by_role("searchbox").fill("washes bleed")
    dialog.get_by_role("button", name="watercolor").click()
    expect(page.get_by_label("Style", exact=True)).to_have_value("watercolor")
    page.get_by_role("button", name="Presets").click()
    expect(dialog.get_by_role("button", name="watercolor")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Style", exact=True)).to_have_value("watercolor")


def test_models_are_compared_by_family_and_what_they_can_do(page: Page) -> None:
    page.get_by_role("button", name="Compare").click()
    dialog = page.get_by_role("dialog", name="Choose a model")
    option = dialog.get_by_role("button", name=CHECKPOINT)
    expect(option).to_contain_text("Stable Diffusion 1.5")
    expect(option).to_contain_text(re.compile(r"poses.*references"))
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        assert violations(page, "html") == []
    option.click()
    expect(page.get_by_label("Model", exact=True)).to_have_value(CHECKPOINT)


def test_a_file_over_the_limit_is_refused_before_it_is_sent(page: Page, browser: Browser) -> None:
    def small(route: Route) -> None:
        answer = route.fetch()
        limits = {"file_bytes": 2048, "pose_json_bytes": 1024}
        route.fulfill(response=answer, json={**answer.json(), "limits": limits})

    page.route("**/request_fields", small)
    reloaded(page)
    browser.requested.clear()
    give(page, POSE, "drop", bytes(3072), "large.png")
    status = page.locator(POSE).get_by_role("status")
    expect(status).to_have_text("This file has 3 KB; the limit is 2 KB.")
    give(page, POSE, "drop", bytes(1536), "large.json", "application/json")
    expect(status).to_have_text("This file has 1.5 KB; the limit is 1 KB.")
    assert [url for url in browser.requested if "/upload/" in url or "/files" in url] == []
    prompt(page).fill(words())
    generate(page).click()
    expect(page.get_by_role("alert").filter(has_text="correct the marked fields")).to_be_visible()
    # Without the file there is nothing to correct.
    page.locator(POSE).get_by_role("button", name="Remove").click()
    expect(page.get_by_role("alert").filter(has_text="correct the marked fields")).to_be_hidden()


def test_the_chinese_page_says_what_is_missing_and_names_the_styles_in_chinese(
    browser: Browser, api: Api
) -> None:
    engine = browser.page.context.browser
    assert engine is not None
    reason = {"code": "pose_controlnet_missing", "detail": "None.", "parameters": {"family": "SDXL"}}
    later = {"code": "of_a_later_release", "detail": "Something else.", "parameters": {}}

    def lacking(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "reason_details": [reason, later]})

    context = engine.new_context(locale="zh-CN", viewport=PHONE)
    try:
        shown = context.new_page()
        shown.route("**/capabilities", lacking)
        open_panel(shown, api)
        shown.locator(".avatarforge-missing summary").click()
        said = shown.locator(".avatarforge-missing li")
        sentence = CHINESE["error_pose_controlnet_missing"].format(family="SDXL")
        expect(said).to_have_text([sentence, "Something else."])
        shown.get_by_role("button", name=CHINESE["style_presets"]).click()
        shown.get_by_role("dialog").get_by_role("button", name=CHINESE["preset_watercolor"]).click()
        expect(shown.get_by_label(CHINESE["style"], exact=True)).to_have_value("watercolor")
        assert (violations(shown, "html"), too_wide(shown)) == ([], [])
    finally:
        context.close()


def test_an_alert_goes_with_its_cause(page: Page, browser: Browser) -> None:
    alert = page.locator(".avatarforge-actions").get_by_role("alert")
    generate(page).click()
    expect(alert).to_contain_text("correct the marked fields")
    page.get_by_label("Clothing").fill("cape")  # not the cause
    expect(alert).to_be_visible()
    prompt(page).fill("x" * 10_001)
    expect(alert).to_be_hidden()
    generate(page).click()
    expect(prompt(page)).to_have_accessible_description(re.compile("the limit is 10000 characters"))
    assert not any("/generate/avatar" in url for url in browser.requested)
    page.route("**/generate/avatar", lambda route: route.abort())
    prompt(page).fill(words())
    generate(page).click()
    expect(alert).to_contain_text("is not responding")
    prompt(page).fill(words())
    expect(alert).to_be_hidden()
    browser.complaints.clear()


def test_the_shortcuts_of_the_readme_work_on_the_page(page: Page) -> None:
    prompt(page).fill(words())
    with page.expect_request("**/generate/avatar"):
        page.keyboard.press("Alt+Shift+KeyR")
    page.set_viewport_size(PHONE)
    page.keyboard.press("Alt+Shift+KeyL")
    expect(page.get_by_role("button", name="Gallery", exact=True)).to_have_attribute("aria-current", "page")
    page.keyboard.press("Alt+Shift+KeyP")
    expect(prompt(page)).to_be_focused()


def test_a_key_that_became_necessary_is_asked_for(page: Page, browser: Browser) -> None:
    """The server restarts with a key: the panel notices when it connects again."""
    refusal = {"detail": "Enter the key.", "code": "key_required"}
    page.route("**/events", lambda route: route.fulfill(status=401, json=refusal))
    for path in ("request_fields", "capabilities", "poses"):
        page.route(f"**/{path}", lambda route: route.fulfill(status=401, json=refusal))
    # A page that was hidden connects again when it is shown.
    for hidden in (True, False):
        page.evaluate(
            """(hidden) => {
                Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            hidden,
        )
    dialog = page.get_by_role("dialog", name="This server requires a key")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator(".avatarforge-offline")).to_be_visible()
    browser.complaints.clear()
