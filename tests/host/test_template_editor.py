"""Graphs built in ComfyUI's real editor become templates: slots are found and filled, and refusals shown."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser
from editor import open_editor
from generating import fresh, pixels
from loras import write_sd15_lora
from panels import violations
from playwright.sync_api import Page, expect
from template_graphs import Node, build, build_app, choose_slot, found_slots, open_dialog, open_menu, save

from lab.api import Api
from lab.server import ComfyServer
from lab.synthetic import file_name

CHECKPOINT = file_name("sd15")
LORAS = ("avatarforge-a.safetensors", "avatarforge-b.safetensors")
PROPERTIES = "(id) => app.rootGraph.getNodeById(id).properties['AvatarForge slots'] ?? null"
REOPEN = """async () => {
    const saved = JSON.parse(JSON.stringify(app.rootGraph.serialize()));
    await app.loadGraphData(saved);
}"""
BADGES = """(id) => app.rootGraph.getNodeById(id).badges
    .map((badge) => (typeof badge === "function" ? badge() : badge).text)"""
SAMPLING = {"steps": 1, "cfg": 2.0, "sampler_name": "euler", "scheduler": "normal"}


@pytest.fixture(scope="module")
def browser(api: Api) -> Iterator[Browser]:
    with open_editor(api) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    browser.complaints.clear()
    shown = browser.page
    yield shown
    shown.keyboard.press("Escape")
    shown.evaluate("() => app.rootGraph.clear()")
    refusals = ("/templates", "/generate/")  # the browser notes each answer that is an error
    ours = [text for text in browser.complaints if "avatarforge" in text.lower()]
    assert [text for text in ours if not any(part in text for part in refusals)] == []


def name() -> str:
    return f"graph {secrets.token_hex(4)}"


def core(size: int = 64) -> dict[str, Node]:
    """ComfyUI's default graph, small."""
    return {
        "model": Node("CheckpointLoaderSimple", values={"ckpt_name": CHECKPOINT}),
        "text": Node("CLIPTextEncode", values={"text": "a castle"}, links={"clip": ("model", 1)}),
        "avoid": Node("CLIPTextEncode", values={"text": "blurry"}, links={"clip": ("model", 1)}),
        "size": Node("EmptyLatentImage", values={"width": size, "height": size}),
        "sampler": Node(
            "KSampler",
            values={**SAMPLING, "seed": 5},
            links={
                "model": ("model", 0),
                "positive": ("text", 0),
                "negative": ("avoid", 0),
                "latent_image": ("size", 0),
            },
        ),
        "decode": Node("VAEDecode", links={"samples": ("sampler", 0), "vae": ("model", 2)}),
        "save": Node("SaveImage", links={"images": ("decode", 0)}),
    }


def get(api: Api, template: str) -> dict[str, Any]:
    response = api.get(f"/templates/{template}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    listed = api.get("/templates", params={"q": template}).json()
    assert [item["name"] for item in listed["templates"]] == [template]
    return found


def ask(api: Api, template: str, **body: Any) -> dict[str, Any]:
    """A completed generation of the front view."""
    body = {"prompt": "a knight", "template": template, **body}
    response = api.post("/generate_pose?pose=front", json=body)
    assert response.status_code == 200, response.text
    done = api.wait(response.json()["generation_id"])
    assert done["status"] == "completed", done["error"]
    return done


def check_runs(api: Api, template: str, **body: Any) -> dict[str, Any]:
    """Run a template and re-roll it: prompt and seed decide the pixels."""
    one = ask(api, template, seed=7, **body)
    before = pixels(api, one)
    assert pixels(api, ask(api, template, seed=7, **body)) == before
    assert pixels(api, ask(api, template, seed=7, **{**body, "prompt": "a castle in fog"})) != before
    other = pixels(api, ask(api, template, seed=8, **body))
    assert other != before
    again = api.post(f"/generations/{one['generation_id']}/reroll?pose=front&seed=8")
    assert again.status_code == 200, again.text
    done = api.wait(one["generation_id"])
    assert (done["status"], done["warnings"]) == ("completed", one["warnings"]), done["error"]
    assert pixels(api, done) == other
    return one


def test_core_nodes_with_titles_alone(page: Page, api: Api) -> None:
    nodes = core()
    titles = {
        "text": "Prompt",
        "avoid": "negative",
        "size": "AvatarForge: width, height",
        "sampler": "AvatarForge: seed",
        "save": "output",
    }
    for key, title in titles.items():
        nodes[key].title = title
    ids = build(page, nodes)
    template = name()
    found = save(page, template)
    assert found[:4] == [
        "Prompt Prompt · text by its title",
        "Negative prompt negative · text by its title",
        "Seed AvatarForge: seed · seed by its title",
        "Width AvatarForge: width, height · width by its title",
    ]
    saved = get(api, template)
    sources = {slot: places[0]["source"] for slot, places in saved["slots"].items()}
    assert {slot for slot, source in sources.items() if source == "title"} == {
        "prompt",
        "negative",
        "seed",
        "width",
        "height",
        "output",
    }
    assert saved["slots"]["prompt"][0]["node"] == ids["text"]
    # What the editor keeps is stored with it.
    assert {str(node["id"]) for node in saved["workflow"]["nodes"]} == set(ids.values())
    wide = ask(api, template, seed=7, width=96)
    assert wide["output_files"][0]["dimensions"] == {"width": 96, "height": 64}
    check_runs(api, template)


def test_a_stack_of_loras_with_two_samplers_one_of_them_in_a_subgraph(
    page: Page, api: Api, comfy: ComfyServer
) -> None:
    for number, lora in enumerate(LORAS):
        write_sd15_lora(comfy.base / "models" / "loras" / lora, number)
    page.evaluate("() => app.refreshComboInNodes()")
    nodes = core()
    order = ["model"]
    for lora in LORAS:
        before, clip = (order[-1], 0), (order[-1], 1)
        nodes[lora] = Node("LoraLoader", values={"lora_name": lora}, links={"model": before, "clip": clip})
        order.append(lora)
    nodes["text"].links = nodes["avoid"].links = {"clip": (LORAS[-1], 1)}
    nodes["sampler"].links["model"] = (LORAS[-1], 0)
    nodes["second"] = Node(
        "KSampler",
        values={**SAMPLING, "seed": 6, "denoise": 0.5},
        links={**nodes["sampler"].links, "latent_image": ("sampler", 0)},
    )
    nodes["decode"].links["samples"] = ("second", 0)
    ids = build(page, nodes)

    choose_slot(page, ids["sampler"], "Seed: seed")
    choose_slot(page, ids["second"], "Seed: seed", widget="seed")
    choose_slot(page, ids["text"], "Prompt: text")
    choose_slot(page, ids["avoid"], "Negative prompt: text")
    choose_slot(page, ids["save"], "Output")
    assert page.evaluate(PROPERTIES, ids["second"]) == {"seed": ["seed"]}
    assert page.evaluate(BADGES, ids["second"])[-1] == "seed"
    # A marked node can go into a subgraph.
    page.evaluate(
        "(id) => app.canvas.graph.convertToSubgraph(new Set([app.rootGraph.getNodeById(id)]))", ids["second"]
    )
    page.evaluate(REOPEN)
    template = name()
    found = save(page, template)
    assert found.count("Seed KSampler · seed marked") == 2
    saved = get(api, template)
    first, inner = saved["slots"]["seed"]
    assert (first["node"], first["source"], inner["source"]) == (ids["sampler"], "request", "request")
    assert ":" in inner["node"] and saved["prompt"][inner["node"]]["inputs"]["denoise"] == 0.5
    assert {node["inputs"].get("lora_name") for node in saved["prompt"].values()} >= set(LORAS)
    one = check_runs(api, template)

    # Without the second LoRA the pixels differ, so both had an effect.
    for node in saved["prompt"].values():
        if node["inputs"].get("lora_name") == LORAS[1]:
            node["inputs"].update(strength_model=0.0, strength_clip=0.0)
    weaker = {
        "name": name(),
        "prompt": saved["prompt"],
        "slots": {
            "seed": [{"node": place["node"], "input": place["input"]} for place in saved["slots"]["seed"]]
        },
    }
    assert api.post("/templates", json=weaker).status_code == 200
    assert pixels(api, ask(api, weaker["name"], seed=7)) != pixels(api, ask(api, template, seed=7))
    assert one["inputs"] == []


def test_an_edit_of_a_picture_whose_slots_app_mode_names(page: Page, api: Api, comfy: ComfyServer) -> None:
    source = f"{name()}.png"
    (comfy.base / "input" / source).write_bytes(fresh())
    page.evaluate("() => app.refreshComboInNodes()")
    nodes = core()
    del nodes["size"]
    nodes["picture"] = Node("LoadImage", values={"image": source})
    nodes["scale"] = Node(
        "ImageScale", values={"width": 64, "height": 64, "crop": "center"}, links={"image": ("picture", 0)}
    )
    nodes["encode"] = Node("VAEEncode", links={"pixels": ("scale", 0), "vae": ("model", 2)})
    nodes["sampler"].links["latent_image"] = ("encode", 0)
    nodes["sampler"].values["denoise"] = 0.7
    ids = build(page, nodes, columns=4)
    try:
        build_app(
            page, [(ids["text"], "text"), (ids["picture"], "image"), (ids["sampler"], "seed")], ids["save"]
        )
        template = name()
        save(page, template)
    finally:
        page.evaluate("() => app.extensionManager.setting.set('Comfy.VueNodes.Enabled', false)")
    saved = get(api, template)
    assert {slot: (places[0]["source"], places[0]["node"]) for slot, places in saved["slots"].items()} == {
        "prompt": ("app", ids["text"]),
        "reference": ("app", ids["picture"]),
        "seed": ("app", ids["sampler"]),
        "output": ("app", ids["save"]),
        "negative": ("link", ids["avoid"]),
        "steps": ("link", ids["sampler"]),
        "cfg": ("link", ids["sampler"]),
    }
    files = [api.upload(fresh(), "reference")["file_id"] for _ in range(2)]
    one = check_runs(api, template, reference_file_id=files[0])
    (line,) = one["inputs"]
    assert (line["role"], line["kind"], line["file_id"]) == ("reference", "template", files[0])
    other = ask(api, template, seed=8, reference_file_id=files[1])
    assert pixels(api, other) != pixels(api, ask(api, template, seed=8, reference_file_id=files[0]))
    # Without a reference, the graph's own picture is edited.
    assert ask(api, template, seed=8)["inputs"] == []


def test_marks_are_kept_shown_and_removed(page: Page) -> None:
    ids = build(page, core())
    choose_slot(page, ids["size"], "Width: width")
    choose_slot(page, ids["size"], "Height: height")
    page.evaluate(REOPEN)
    assert page.evaluate(PROPERTIES, ids["size"]) == {"width": ["width"], "height": ["height"]}
    page.wait_for_function(f"(id) => ({BADGES})(id).includes('width, height')", arg=ids["size"])
    menu = open_menu(page, ids["size"])
    menu.locator(".litemenu-entry", has_text="use as slot").click()
    entries = page.locator(".litecontextmenu").last.locator(".litemenu-entry").all_inner_texts()
    assert entries[:2] == ["✓ Width: width", "✓ Height: height"]
    page.locator(".litecontextmenu").last.get_by_text("✓ Width: width").click()
    assert page.evaluate(PROPERTIES, ids["size"]) == {"height": ["height"]}
    open_menu(page, ids["size"]).locator(".litemenu-entry", has_text="remove the slots").click()
    assert page.evaluate(PROPERTIES, ids["size"]) is None
    # A node that is left out of the prompt cannot be a slot, and the dialog says so.
    choose_slot(page, ids["sampler"], "Seed: seed")
    page.evaluate("(id) => { app.rootGraph.getNodeById(id).mode = 2; }", ids["sampler"])
    expect(open_dialog(page)).to_contain_text("“KSampler” is marked, but it is muted")


def test_the_dialog_names_what_is_missing_and_the_server_refuses_it(page: Page, api: Api) -> None:
    nodes = core()
    nodes["model"].values["ckpt_name"] = "nobody-has-this.safetensors"
    build(page, nodes)
    page.evaluate("""async () => {
        const saved = JSON.parse(JSON.stringify(app.rootGraph.serialize()));
        saved.nodes.find(({ type }) => type === "EmptyLatentImage").type = "NobodyHasThisNode";
        await app.loadGraphData(saved);
    }""")
    page.keyboard.press("Escape")  # the editor's own dialog about missing nodes
    template = name()
    dialog = open_dialog(page)
    expect(dialog.get_by_role("heading", name="Nodes that are not installed")).to_be_visible()
    expect(dialog.get_by_text("NobodyHasThisNode").first).to_be_visible()
    expect(dialog.get_by_role("heading", name="Models that are not installed")).to_be_visible()
    expect(dialog.get_by_text("nobody-has-this.safetensors").first).to_be_visible()
    assert violations(page, "dialog") == []
    dialog.get_by_label("Name").fill(template)
    dialog.get_by_role("button", name="Save", exact=True).click()
    refusal = dialog.get_by_role("alert")
    expect(refusal).to_contain_text("NobodyHasThisNode")
    expect(refusal).to_contain_text("nobody-has-this.safetensors")
    assert api.get(f"/templates/{template}").status_code == 404
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_taken_name_is_replaced_only_when_asked(page: Page, api: Api) -> None:
    template = name()
    ids = build(page, core())
    save(page, template)
    page.evaluate("(id) => { app.rootGraph.getNodeById(id).widgets[0].value = 'a tower'; }", ids["text"])
    dialog = open_dialog(page)
    expect(dialog.get_by_label("Name")).to_be_focused()
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text("Please enter a name.")
    dialog.get_by_label("Name").fill(template.upper())
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("exists already")
    assert get(api, template)["version"] == 1
    dialog.get_by_label("Name").press("End")
    page.keyboard.type("x")  # another name is not to be replaced
    expect(dialog.get_by_role("button", name="Save", exact=True)).to_be_visible()
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Replace").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".p-toast-message", has_text="version 2")).to_be_visible()
    saved = api.get(f"/templates/{template}").json()
    assert (saved["version"], saved["prompt"][ids["text"]]["inputs"]["text"]) == (2, "a tower")


def test_what_the_editor_saves_is_no_api_prompt_and_a_slot_must_exist(page: Page, api: Api) -> None:
    build(page, core())
    workflow = page.evaluate("async () => (await app.graphToPrompt()).workflow")
    response = api.post("/templates", json={"name": name(), "prompt": workflow})
    assert response.status_code == 422, response.text
    assert "Save as AvatarForge template" in response.text or "Export (API)" in response.text
    template = name()
    save(page, template)
    file_id = api.upload(fresh())["file_id"]
    body = {"prompt": "a knight", "template": template, "pose_file_id": file_id}
    refused = api.post("/generate/avatar", json=body)
    assert refused.status_code == 422, refused.text
    assert "pose" in refused.json()["detail"] if isinstance(refused.json()["detail"], str) else refused.text
    assert found_slots(open_dialog(page))  # the graph is still there
