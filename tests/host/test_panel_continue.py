"""What a finished picture is used for next, in a real browser: by menu, by drag, and by a dropped file."""

from __future__ import annotations

import io
import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser
from panels import (
    POSE,
    REFERENCE,
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
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Locator, Page, ViewportSize, expect

from lab.api import Api

PHONE: ViewportSize = {"width": 390, "height": 844}
BESIDE = ".avatarforge-head"
MISSING = "not-there.safetensors"
A1111 = (
    "a red fox, <lora:not-there:0.5> forest\nNegative prompt: rain, fog\n"
    "Steps: 12, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 18446744073709551615, Size: 512x768, "
    'Model: not-there, Hires upscale: 2, Lora hashes: "a: 1, b: 2", Version: v1.9'
)
COMFYUI = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 18446744073709551614,
            "steps": 11,
            "cfg": 4.5,
            "sampler_name": "euler",
            "scheduler": "karras",
            "model": ["9", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": MISSING}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 320, "height": 448, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["8", 0], "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "fog", "clip": ["4", 1]}},
    "8": {"class_type": "PrimitiveString", "inputs": {"value": "a blue owl"}},
    "9": {
        "class_type": "LoraLoader",
        "inputs": {"lora_name": "gone.safetensors", "strength_model": 0.5, "model": ["4", 0]},
    },
}
#: Drags one of our pictures, as another window would: from nowhere in this page.
DROP_OURS = """([target, picture]) => {
    const data = new DataTransfer();
    data.setData("application/x-avatarforge-picture", JSON.stringify(picture));
    const event = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data });
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


@pytest.fixture(scope="module")
def side(api: Api) -> dict[str, Any]:
    """A finished side view that the tests of this module share. It is large enough to be uploaded."""
    size = {"width": 128, "height": 128}
    created = api.generate("/generate_pose?pose=side", prompt=words(), clothing="a coat", seed=2**60, **size)
    generation = api.wait(created["generation_id"])
    assert generation["status"] == "completed", generation["error"]
    return generation


def title(generation: dict[str, Any]) -> str:
    return str(generation["parameters"]["prompt"])


def with_texts(**texts: str) -> bytes:
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text)
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def choose(page: Page, api: Api, generation: dict[str, Any], entry: str) -> None:
    """Choose an entry of the menu of the only picture of this generation."""
    open_panel(page, api, f"?{words()[-8:]}#/detail/{generation['generation_id']}")
    page.get_by_role("button", name=re.compile("^Continue with")).click()
    page.get_by_role("menuitem", name=entry).click()


def dialog(page: Page, name: str) -> Locator:
    return page.get_by_role("dialog", name=re.compile(name))


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_result_becomes_a_reference_in_a_role_without_a_download(
    page: Page, api: Api, side: dict[str, Any], browser: Browser, size: ViewportSize
) -> None:
    page.set_viewport_size(size)
    choose(page, api, side, "Use as reference: whole person")
    reference = page.locator(REFERENCE)
    expect(reference.get_by_role("status")).to_have_text(re.compile("Uploaded|stored"))
    stored = reference.locator("img")
    expect(stored).to_be_visible()
    # Another one goes beside it: from the menu of the picture that is still open, by keyboard.
    if size is PHONE:
        page.go_back()
    page.get_by_role("button", name=re.compile("^Continue with")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    more = page.get_by_role("group", name="More references")
    expect(more.get_by_role("combobox")).to_have_value("outfit")
    expect(more.get_by_role("listitem")).to_have_attribute("aria-busy", "false")
    assert (violations(page, "html"), too_wide(page)) == ([], [])
    prompt(page).fill(words())
    page.route("**/generate/avatar", lambda route: route.abort())
    with page.expect_request("**/generate/avatar") as sent:
        page.get_by_role("button", name="Generate", exact=True).click()
    body = json.loads(sent.value.post_data or "")
    assert "reference_file_id" not in body
    assert [(item["role"], item.get("view")) for item in body["references"]] == [
        ("identity", None),
        ("outfit", "side"),
    ]
    assert len({item["file_id"] for item in body["references"]}) == 1
    expect(page.get_by_role("alert").filter(has_text="is not responding")).to_be_visible()
    more.get_by_role("button", name="Remove").click()
    expect(more).to_be_hidden()
    browser.complaints.clear()  # of the request that was stopped


def test_a_result_becomes_a_pose_by_its_own_keypoints(page: Page, api: Api, side: dict[str, Any]) -> None:
    choose(page, api, side, "Use as pose")
    slot = page.locator(POSE)
    expect(slot.locator(".avatarforge-name")).to_have_text(re.compile(r"^pose-side.*\.json$"))
    given = api.upload(picture(secrets.randbits(64)))["file_id"]
    posed = made(page, api, words(), pose_file_id=given)
    choose(page, api, posed, "Use as pose")
    expect(slot.locator("img")).to_have_attribute("src", re.compile(given))


def test_a_variation_is_the_same_request_with_a_new_seed(page: Page, api: Api, side: dict[str, Any]) -> None:
    with page.expect_response("**/generate_pose?pose=side") as answer:
        choose(page, api, side, "Variation with a new seed")
    varied = api.wait(answer.value.json()["generation_id"])
    differing = {name for name, value in varied["parameters"].items() if value != side["parameters"][name]}
    assert (varied["kind"], differing) == ("pose", {"seed"})
    page.locator(".avatarforge-notices").get_by_role("button", name="Open").first.click()
    expect(page.get_by_role("heading", name=title(side))).to_be_visible()
    assert varied["generation_id"] in page.url


def test_edit_and_repeat_fills_the_form(page: Page, api: Api, side: dict[str, Any]) -> None:
    choose(page, api, side, "Edit and repeat")
    expect(prompt(page)).to_have_value(title(side))
    expect(page.get_by_label("Seed")).to_have_value(str(2**60))
    expect(page.get_by_label("Side", exact=True)).to_be_checked()


def test_a_result_becomes_a_character(page: Page, api: Api, side: dict[str, Any], browser: Browser) -> None:
    name = f"Mira {secrets.token_hex(4)}"
    choose(page, api, side, "Create a character")
    asked = dialog(page, "Create a character")
    asked.get_by_label("Name of the character").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator(".avatarforge-notices")).to_contain_text(f"Created the character: {name}")
    (character,) = api.get("/characters", params={"q": name}).json()["characters"]
    full = api.get(f"/characters/{character['character_id']}").json()
    assert [item["view"] for item in full["references"]] == ["side"]
    # The same name again is refused, and the page says why.
    choose(page, api, side, "Create a character")
    asked.get_by_label("Name of the character").fill(name)
    asked.get_by_role("button", name="Create a character").click()
    expect(page.locator(".avatarforge-notices")).to_contain_text(name)
    browser.complaints.clear()


def test_a_picture_is_dragged_from_gallery_and_details_into_the_slots(
    page: Page, api: Api, side: dict[str, Any]
) -> None:
    open_panel(page, api, f"?{words()[-8:]}")
    shown = tile(page, title(side)).last  # newer ones are variations
    shown.drag_to(page.locator(REFERENCE))
    expect(page.locator(f"{REFERENCE} img")).to_be_visible()
    expect(page.locator(REFERENCE).get_by_role("status")).to_have_text(re.compile("Uploaded|stored"))
    shown.click()
    page.get_by_role("button", name="Picture: Side").drag_to(page.locator(POSE))
    expect(page.locator(f"{POSE} .avatarforge-name")).to_have_text(re.compile(r"^pose-side.*\.json$"))
    # Nothing was opened, and nothing was asked.
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_dragged_picture_of_another_window_restores_its_settings_when_wanted(
    page: Page, api: Api, side: dict[str, Any]
) -> None:
    ours = {
        "generation_id": side["generation_id"],
        "number": 1,
        "filename": side["output_files"][0]["filename"],
    }
    prompt(page).fill("written before")
    page.evaluate(DROP_OURS, [BESIDE, ours])
    dialog(page, "Restore the settings").get_by_role("button", name="Use these settings").click()
    expect(prompt(page)).to_have_value(title(side))
    page.locator(".avatarforge-notices").get_by_role("button", name="Undo").click()
    expect(prompt(page)).to_have_value("written before")
    wrong = ({**ours, "generation_id": "../files"}, {**ours, "number": 0}, {**ours, "filename": "../x"})
    told = page.locator(".avatarforge-notices li", has_text="Drop it onto Pose")
    for count, picture_of_nobody in enumerate(wrong, start=1):
        page.evaluate(DROP_OURS, [BESIDE, picture_of_nobody])
        expect(told).to_have_count(count)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_dropped_picture_of_ours_is_recognised_by_its_file(
    page: Page, api: Api, side: dict[str, Any]
) -> None:
    content = api.get(side["output_files"][0]["url"]).content
    give(page, BESIDE, "drop", content, "from-the-disk.png")
    asked = dialog(page, "Restore the settings")
    expect(asked.get_by_role("definition").filter(has_text=title(side))).to_be_visible()
    expect(asked.get_by_role("definition").filter(has_text="a coat")).to_be_visible()
    expect(asked.get_by_role("definition").filter(has_text=str(2**60))).to_be_visible()
    assert violations(page, ".avatarforge-restore") == []
    asked.get_by_role("button", name="Cancel").click()
    expect(prompt(page)).to_have_value("")
    give(page, BESIDE, "drop", content, "from-the-disk.png")
    asked.get_by_role("button", name="Use these settings").click()
    expect(prompt(page)).to_have_value(title(side))
    expect(page.get_by_label("Side", exact=True)).to_be_checked()
    expect(page.get_by_label("Seed")).to_have_value(str(2**60))


def test_a_picture_of_ours_from_elsewhere_restores_what_its_graph_says(
    page: Page, api: Api, browser: Browser
) -> None:
    copy = api.wait(api.generate(prompt=words(), clothing="a hat", seed=5)["generation_id"])
    content = api.get(copy["output_files"][0]["url"]).content
    api.delete(f"/generations/{copy['generation_id']}")
    open_panel(page, api, f"?{words()[-8:]}")
    give(page, BESIDE, "drop", content, "deleted.png")
    dialog(page, "Restore the settings").get_by_role("button", name="Use these settings").click()
    expect(prompt(page)).to_have_value(title(copy))
    expect(page.get_by_label("Clothing")).to_have_value("a hat")
    expect(page.get_by_label("Seed")).to_have_value("5")
    # A browser writes down that its generation is not here.
    (complaint,) = browser.complaints
    assert "404" in complaint
    browser.complaints.clear()


@pytest.mark.parametrize(
    ("texts", "name", "values", "missing"),
    [
        (
            {"prompt": json.dumps(COMFYUI)},
            "ComfyUI picture",
            {
                "Prompt": "a blue owl",
                "Negative prompt": "fog",
                "Seed": "18446744073709551614",
                "Steps": "11",
                "CFG": "4.5",
                "Sampler": "euler",
                "Scheduler": "karras",
                "Width": "320",
                "Height": "448",
            },
            [MISSING, "gone.safetensors"],
        ),
        (
            {"parameters": A1111},
            "A1111 picture",
            {
                "Prompt": "a red fox,  forest",
                "Negative prompt": "rain, fog",
                "Seed": "18446744073709551615",
                "Steps": "12",
                "CFG": "6.5",
                "Sampler": "dpmpp_2m",
                "Scheduler": "karras",
                "Width": "512",
                "Height": "768",
            },
            ["Model: not-there", "LoRAs: not-there", "Hires upscale: 2"],
        ),
    ],
    ids=["comfyui", "a1111"],
)
def test_a_picture_of_another_program_restores_what_can_be_read(
    page: Page, texts: dict[str, str], name: str, values: dict[str, str], missing: list[str]
) -> None:
    give(page, BESIDE, "drop", with_texts(**texts), "other.png")
    asked = dialog(page, name)
    for text in missing:
        expect(asked.get_by_role("listitem").filter(has_text=text)).to_be_visible()
    expect(asked.get_by_role("listitem")).to_have_count(len(missing))
    asked.get_by_role("button", name="Use these settings").click()
    page.get_by_text("Advanced").click()
    for label, value in values.items():
        expect(page.get_by_label(label, exact=True)).to_have_value(value)
    expect(page.get_by_label("Model", exact=True)).to_have_value("")


def test_a_dropped_picture_can_be_used_instead_of_its_settings(page: Page) -> None:
    for name, slot in (("Use as reference", REFERENCE), ("Use as pose", POSE)):
        give(page, BESIDE, "drop", with_texts(parameters=A1111), "other.png")
        dialog(page, "A1111 picture").get_by_role("button", name=name).click()
        expect(page.locator(slot).get_by_role("status")).to_have_text(re.compile("Uploaded|stored"))
    expect(prompt(page)).to_have_value("")
    give(page, BESIDE, "drop", picture(secrets.randbits(64)), "without-texts.png")
    expect(page.locator(".avatarforge-notices")).to_contain_text("Drop it onto Pose")
    expect(page.get_by_role("dialog")).to_have_count(0)


#: Builds PNG chunks in the page: [type, bytes or a way to make them, announced length].
READ = """async (cases) => {
    const { readPngTexts } = await import("./panel/panel/png_text.mjs");
    const ascii = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
    const deflate = async (bytes) => new Uint8Array(await new Response(
        new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"))).arrayBuffer());
    const chunk = async ([type, text, { packed = null, length = null, repeat = 1 } = {}]) => {
        let data = ascii(text);
        if (packed !== null) {
            const body = await deflate(typeof packed === "number" ? new Uint8Array(packed) : ascii(packed));
            data = Uint8Array.from([...data, ...body]);
        }
        const header = new Uint8Array(8);
        new DataView(header.buffer).setUint32(0, length ?? data.length);
        header.set(ascii(type), 4);
        return new Blob(Array(repeat).fill([header, data, new Uint8Array(4)]).flat());
    };
    const signature = Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10]);
    return Promise.all(cases.map(async (chunks) => {
        const parts = await Promise.all(chunks.map(chunk));
        return Object.fromEntries(await readPngTexts(new Blob([signature, ...parts])));
    }));
}"""
MIB = 1024 * 1024
A = ["tEXt", "a\0one"]


@pytest.mark.parametrize(
    ("chunks", "texts"),
    [
        ([A, ["tEXt", "b\0two"], ["tEXt", "a\0again"]], {"a": "one", "b": "two"}),
        ([["zTXt", "a\0\0", {"packed": "packed"}]], {"a": "packed"}),
        ([["iTXt", "a\0\0\0en\0b\0plain"]], {"a": "plain"}),
        ([["iTXt", "a\0\1\0en\0b\0", {"packed": "packed"}]], {"a": "packed"}),
        # Latin-1, and UTF-8 that many programs write in its place.
        ([["tEXt", "a\0\xfc"], ["tEXt", "b\0\xc3\xbc"]], {"a": "\xfc", "b": "\xfc"}),
        # A text that becomes too large, or is too large, is left out; what follows is read.
        ([["zTXt", "z\0\0", {"packed": 5 * MIB}], A], {"a": "one"}),
        ([["zTXt", "z\0\0no deflate"], ["zTXt", "y\0\1\0"], A], {"a": "one"}),
        (
            [["tEXt", "no end of the keyword"], ["tEXt", "\0no keyword"], ["tEXt", "k" * 80 + "\0x"], A],
            {"a": "one"},
        ),
        ([["iTXt", "i\0\0"], ["iTXt", "j\0\0\0no end"], A], {"a": "one"}),
        ([A, ["IEND", ""], ["tEXt", "b\0after the end"]], {"a": "one"}),
        # A length beyond the end of the file: nothing after it can be found.
        ([A, ["tEXt", "b\0cut", {"length": 2**32 - 1}], ["tEXt", "c\0lost"]], {"a": "one"}),
        ([["aaAa", "", {"repeat": 1001}], A], {}),
        ([], {}),
    ],
)
def test_the_texts_of_a_png_are_read_within_limits(
    page: Page, chunks: list[Any], texts: dict[str, str]
) -> None:
    assert page.evaluate(READ, [chunks]) == [texts]


def test_what_is_no_png_has_no_texts(page: Page) -> None:
    found = page.evaluate(
        """async () => {
            const { readPngTexts } = await import("./panel/panel/png_text.mjs");
            const files = [new Blob([]), new Blob(["GIF89a"]), new Blob([new Uint8Array(1000)])];
            return Promise.all(files.map(async (file) => (await readPngTexts(file)).size));
        }"""
    )
    assert found == [0, 0, 0]


@pytest.mark.parametrize(
    "texts",
    [
        {"prompt": "no JSON"},
        {"prompt": "[]"},
        {"prompt": "null"},
        {"prompt": '{"1": null, "2": {"class_type": 3}}'},
        {"prompt": json.dumps({str(at): {"class_type": "A", "inputs": {}} for at in range(2001)})},
        # Links in a circle.
        {"prompt": json.dumps({"1": {"class_type": "A", "inputs": {"steps": ["1", 0], "seed": ["1", 0]}}})},
        {"parameters": "only words"},
        {"parameters": "Steps: 20"},
        {"parameters": ""},
        {"other": "x"},
    ],
)
def test_texts_without_settings_restore_nothing(page: Page, texts: dict[str, str]) -> None:
    found = page.evaluate(
        """async (texts) => {
            const { findSettings } = await import("./panel/panel/picture_settings.mjs");
            return findSettings(new Map(Object.entries(texts)));
        }""",
        texts,
    )
    assert found is None


def test_a_line_of_settings_that_never_ends_is_cut(page: Page) -> None:
    """Of a megabyte only the first 5,000 characters are looked at."""
    line = "Steps: 20, " + "a: b," * 200_000 + ", Seed: 3"
    found = page.evaluate(
        """async (text) => {
            const { findSettings } = await import("./panel/panel/picture_settings.mjs");
            return findSettings(new Map([["parameters", text]]));
        }""",
        f"words\n{line}",
    )
    assert (found["values"]["prompt"], found["values"]["steps"]) == ("words", 20)
    assert "seed" not in found["values"]
