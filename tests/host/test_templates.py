"""Templates on a real ComfyUI: graphs of users become generations, and what cannot is refused by name."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from generating import fresh, pixels
from graphs import Graph, node, plain, titled, two_samplers

from lab.api import Api
from lab.synthetic import file_name

CHECKPOINT = file_name("sd15")
CONTROLNET = file_name("sd15-openpose")
VIEWS = ["front", "back", "side", "quarter"]


def save(api: Api, graph: Graph, **more: Any) -> dict[str, Any]:
    name = f"graph {secrets.token_hex(4)}"
    response = api.post("/templates", json={"name": name, "prompt": graph, **more})
    assert response.status_code == 200, response.text
    saved: dict[str, Any] = response.json()
    return saved


def posed() -> Graph:
    """With a ControlNet of ComfyUI's own, whose picture a title marks."""
    graph = plain(CHECKPOINT)
    graph["20"] = node("LoadImage", "Pose", image="not there.png")
    graph["21"] = node("ControlNetLoader", control_net_name=CONTROLNET)
    graph["22"] = node(
        "ControlNetApplyAdvanced",
        positive=["6", 0],
        negative=["7", 0],
        control_net=["21", 0],
        image=["20", 0],
        strength=1.0,
        start_percent=0.0,
        end_percent=1.0,
    )
    graph["3"]["inputs"].update(positive=["22", 0], negative=["22", 1])
    return graph


def ask(api: Api, template: dict[str, Any], route: str = "/generate/avatar", **body: Any) -> dict[str, Any]:
    """Run a request without the size and steps that `Api.generate` adds."""
    response = api.post(route, json={"prompt": "a knight", "template": template["name"], **body})
    assert response.status_code == 200, response.text
    done = api.wait(response.json()["generation_id"])
    assert done["status"] == "completed", done["error"]
    return done


def test_a_graph_with_two_samplers_makes_one_view_and_four_and_is_rerolled(api: Api) -> None:
    template = save(api, two_samplers(CHECKPOINT))
    one = ask(api, template, seed=7)
    assert [output["dimensions"] for output in one["output_files"]] == [{"width": 64, "height": 64}]
    assert pixels(api, ask(api, template, seed=7)) == pixels(api, one)
    assert pixels(api, ask(api, template, seed=8)) != pixels(api, one)
    assert pixels(api, ask(api, template, seed=7, negative_prompt="a hat")) != pixels(api, one)
    assert one["progress"] == 1

    sheet = ask(api, template, "/generate_all_poses", seed=7, width=64, height=96)
    assert [output["pose_type"] for output in sheet["output_files"]] == VIEWS
    assert [output["dimensions"]["width"] for output in sheet["output_files"]] == [64, 64, 48, 64]
    assert [warning["code"] for warning in sheet["warning_details"]] == ["no_pose_slot"]
    before = pixels(api, sheet)
    assert len(set(before)) == 4

    # The template is gone, and its generations go on.
    assert api.delete(f"/templates/{template['template_id']}").status_code == 200
    again = api.post(f"/generations/{sheet['generation_id']}/reroll?pose=back&seed=99")
    assert again.status_code == 200, again.text
    done = api.wait(sheet["generation_id"])
    after = pixels(api, done)
    assert done["output_files"][1]["seed"] == 99
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True, True]
    same = api.post(f"/generations/{sheet['generation_id']}/reroll?pose=back&seed=7")
    assert same.status_code == 200, same.text
    api.wait(sheet["generation_id"])
    assert pixels(api, sheet) == before

    assert api.delete(f"/generations/{sheet['generation_id']}").status_code == 200
    assert api.root(sheet["output_files"][0]["url"]).status_code == 404


def test_titles_alone_make_a_template_and_its_reference_decides_the_pixels(api: Api) -> None:
    template = save(api, titled(CHECKPOINT))
    assert {slot: places[0]["source"] for slot, places in template["slots"].items()} == {
        "prompt": "title",
        "negative": "title",
        "reference": "title",
        "seed": "title",
        "steps": "link",
        "cfg": "link",
        "output": "title",
    }
    files = [api.upload(fresh(), "reference")["file_id"] for _ in range(2)]
    first = ask(api, template, seed=7, reference_file_id=files[0])
    assert pixels(api, ask(api, template, seed=7, reference_file_id=files[0])) == pixels(api, first)
    assert pixels(api, ask(api, template, seed=7, reference_file_id=files[1])) != pixels(api, first)
    (line,) = first["inputs"]
    history = api.root(f"/history/{first['comfyui_prompt_id']}").json()
    ran = history[first["comfyui_prompt_id"]]["prompt"][2]
    assert (line["role"], line["kind"], line["model"]) == ("reference", "template", template["name"])
    assert ran[line["node"]]["class_type"] == line["node_type"] == "ImageScale"
    loader = ran[ran[line["node"]]["inputs"]["image"][0]]
    assert loader["inputs"]["file_id"] == files[0] == line["file_id"]
    assert first["parameters"]["reference_file_id"] == files[0]
    # What was used is a request that repeats it.
    repeated = ask(
        api, template, **{k: v for k, v in first["parameters"].items() if k not in ("prompt", "template")}
    )
    assert pixels(api, repeated) == pixels(api, first)
    # Without one the graph's own picture is used, which is not there.
    response = api.post("/generate/avatar", json={"prompt": "x", "template": template["name"]})
    assert (response.status_code, response.json()["code"]) == (422, "prompt_refused")
    assert "example.png" in response.text


def test_a_pose_and_the_built_in_skeletons_reach_a_controlnet(api: Api) -> None:
    template = save(api, posed())
    sheet = ask(api, template, "/generate_all_poses", seed=7, steps=2)
    assert [(line["role"], line["pose_type"]) for line in sheet["inputs"]] == [
        ("view", view) for view in VIEWS
    ]
    poses = [api.upload(fresh())["file_id"] for _ in range(2)]
    common: dict[str, Any] = {"seed": 7, "steps": 2, "pose_mode": "raw"}
    one, other = (ask(api, template, pose_file_id=pose, **common) for pose in poses)
    assert pixels(api, one) != pixels(api, other)
    (line,) = one["inputs"]
    assert (line["role"], line["file_id"], line["node_type"]) == ("pose", poses[0], "ControlNetApplyAdvanced")
    assert line["steps"] == {"first": 1, "last": 2}
    again = api.post(f"/generations/{sheet['generation_id']}/reroll?pose=side&seed=3")
    assert again.status_code == 200, again.text
    assert api.wait(sheet["generation_id"])["output_files"][2]["seed"] == 3


def test_a_batch_gives_its_first_picture(api: Api) -> None:
    graph = plain(CHECKPOINT)
    graph["5"]["inputs"]["batch_size"] = 3
    template = save(api, graph)
    assert len(ask(api, template)["output_files"]) == 1
    assert len(ask(api, template, "/generate_all_poses")["output_files"]) == 4


def test_a_failed_run_is_retried(api: Api) -> None:
    graph = plain(CHECKPOINT)
    # Accepted by ComfyUI's validation, and too large a crop for the node.
    graph["10"] = node("ImageCrop", image=["8", 0], width=64, height=64, x=0, y=0)
    graph["11"] = node("ImageBatch", image1=["10", 0], image2=["20", 0])
    graph["20"] = node("AvatarForgeLoadReference", file_id="00000000-0000-4000-8000-000000000000")
    graph["9"]["inputs"]["images"] = ["11", 0]
    template = save(api, graph, slots={"reference": []})
    response = api.post("/generate/avatar", json={"prompt": "x", "template": template["name"], "seed": 1})
    failed = api.wait(response.json()["generation_id"])
    assert (failed["status"], failed["error"].split(" ")[0]) == ("failed", "AvatarForgeLoadReference")
    again = api.post(f"/generations/{failed['generation_id']}/retry")
    assert again.status_code == 200, again.text
    assert api.wait(failed["generation_id"])["status"] == "failed"


def refusal(api: Api, graph: Any) -> tuple[str, list[dict[str, Any]]]:
    response = api.post("/templates", json={"name": f"x {secrets.token_hex(4)}", "prompt": graph})
    assert response.status_code == 422, response.text
    return response.json()["code"], response.json()["detail"]


def test_every_missing_node_and_model_is_named(api: Api) -> None:
    graph = plain("nowhere.safetensors")
    graph["20"] = node("FaceDetailer", "Detailer", image=["8", 0], model=["21", 0])
    graph["21"] = node(
        "LoraLoaderModelOnly", "Style", model=["4", 0], lora_name="style.safetensors", strength_model=1.0
    )
    graph["22"] = node("UltimateUpscale", image=["20", 0])
    graph["9"]["inputs"]["images"] = ["22", 0]
    code, detail = refusal(api, graph)
    assert code == "template_incomplete"
    assert {(item["type"], item["loc"][2]) for item in detail} == {
        ("missing_node", "20"),
        ("missing_node", "22"),
        ("missing_model", "4"),
        ("missing_model", "21"),
    }
    text = " ".join(item["msg"] for item in detail)
    for name in ("FaceDetailer", "UltimateUpscale", "Detailer", "nowhere.safetensors", "style.safetensors"):
        assert name in text
    found = api.post("/templates/inspect", json={"prompt": graph}).json()
    assert [(item["node"], item["class_type"]) for item in found["missing_nodes"]] == [
        ("20", "FaceDetailer"),
        ("22", "UltimateUpscale"),
    ]
    assert [(item["node"], item["input"], item["value"]) for item in found["missing_models"]] == [
        ("4", "ckpt_name", "nowhere.safetensors"),
        ("21", "lora_name", "style.safetensors"),
    ]
    assert found["slots"]["prompt"][0]["node"] == "6"
    # With all nodes there, ComfyUI itself names the models.
    code, detail = refusal(api, plain("nowhere.safetensors"))
    assert (code, [item["type"] for item in detail]) == ("template_incomplete", ["missing_model"])


def test_an_error_of_a_side_output_is_a_refusal_where_comfyui_would_run_the_rest(api: Api) -> None:
    graph = plain(CHECKPOINT)
    graph["20"] = node("ImageUpscaleWithModel", image=["8", 0])  # its model is missing
    graph["21"] = node("PreviewImage", images=["20", 0])
    queued = api.request("POST", f"{api.server}/prompt", json={"prompt": graph})
    assert (queued.status_code, set(queued.json()["node_errors"])) == (200, {"20"})
    code, detail = refusal(api, graph)
    assert code == "prompt_refused"
    assert [item["loc"] for item in detail] == [["body", "prompt", "20", "inputs", "upscale_model"]]


def test_links_of_the_wrong_type_and_values_out_of_range_are_named(api: Api) -> None:
    graph = plain(CHECKPOINT)
    graph["8"]["inputs"]["samples"] = ["4", 2]
    graph["3"]["inputs"]["steps"] = 0
    code, detail = refusal(api, graph)
    assert code == "prompt_refused"
    assert "mismatch" in " ".join(item["msg"] for item in detail)
    graph["8"]["inputs"]["samples"] = ["3", 0]
    code, detail = refusal(api, graph)
    assert [item["loc"][-1] for item in detail] == ["steps"]


def test_a_workflow_of_the_editor_is_refused(api: Api) -> None:
    workflow = {"nodes": [{"id": 3, "type": "KSampler"}], "links": [[1, 4, 0, 3, 0, "MODEL"]], "version": 0.4}
    code, (problem,) = refusal(api, workflow)
    assert code == "template_invalid"
    assert "Export (API)" in problem["msg"]


@pytest.mark.parametrize(
    "graph",
    [
        {"1": []},
        {"1": {"inputs": {}}},
        {"1": {"class_type": "SaveImage", "inputs": {"images": ["2", 0]}}},
        {"1": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}},
        {"1": {"class_type": "SaveImage", "inputs": {"images": [[], 0]}}},
        {"1": {"class_type": "SaveImage", "inputs": {"images": None}}},
        {"1": node("LoadImage", image={"a": 1}), "2": node("SaveImage", images=["1", 99])},
        {"1": node("LoadImage", image=5), "2": node("SaveImage", images=["1", 0])},
        {"1": node("EmptyImage", width="x"), "2": node("SaveImage", images=["1", 0])},
    ],
)
def test_a_broken_graph_is_refused_and_never_a_fault(api: Api, graph: Any) -> None:
    _, detail = refusal(api, graph)
    assert all(item["msg"] for item in detail)
    assert api.post("/templates/inspect", json={"prompt": graph}).status_code == 200


def test_a_built_in_family_is_exported_changed_and_run(api: Api) -> None:
    file = api.get("/templates/builtin/sd15").json()
    (sampler,) = (item for item in file["prompt"].values() if item["class_type"] == "KSampler")
    sampler["inputs"].update(steps=1, cfg=3.0)
    file["name"] = f"own {secrets.token_hex(4)}"
    response = api.post("/templates/import", json=file)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = {"seed": 7, "width": 64, "height": 64}
    done = ask(api, response.json(), "/generate_pose?pose=back", **body)
    assert [line["role"] for line in done["inputs"]] == ["view"]
    assert pixels(api, ask(api, response.json(), "/generate_pose?pose=side", **body)) != pixels(api, done)
