"""Slots are found in graphs by marks and by links, and what cannot be a template is refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from graphs import Graph, custom_sampler, edit_in_app_mode, node, plain, titled, two_samplers

from avatarforge.forge.templates.find import FoundSlots, find_slots
from avatarforge.forge.templates.graph import MAX_CHAIN, graph_problems
from avatarforge.forge.templates.slots import read_slots, write_slots


def places(found: FoundSlots) -> dict[str, list[tuple[str, str]]]:
    return {slot: [(item.node, item.input) for item in items] for slot, items in found.slots.items()}


def sources(found: FoundSlots) -> dict[str, set[str]]:
    return {slot: {item.source for item in items} for slot, items in found.slots.items()}


def test_links_tell_the_slots_of_comfyuis_default_graph() -> None:
    found = find_slots(plain())
    assert places(found) == {
        "prompt": [("6", "text")],
        "negative": [("7", "text")],
        "seed": [("3", "seed")],
        "width": [("5", "width")],
        "height": [("5", "height")],
        "steps": [("3", "steps")],
        "cfg": [("3", "cfg")],
        "output": [("9", "images")],
    }
    assert set().union(*sources(found).values()) == {"link"}
    assert found.problems == ()
    assert read_slots(write_slots(found.slots)) == found.slots


def test_the_only_picture_of_a_graph_is_its_reference() -> None:
    graph = plain()
    graph["20"] = node("LoadImage", image="mine.png")
    graph["21"] = node("VAEEncode", pixels=["20", 0], vae=["4", 2])
    graph["3"]["inputs"]["latent_image"] = ["21", 0]
    assert places(find_slots(graph))["reference"] == [("20", "image")]
    masked, hinted, second = (json.loads(json.dumps(graph)) for _ in range(3))
    masked["22"] = node("SetLatentNoiseMask", samples=["21", 0], mask=["20", 1])
    masked["3"]["inputs"]["latent_image"] = ["22", 0]
    hinted["22"] = node("ControlNetApply", conditioning=["6", 0], image=["20", 0])
    hinted["3"]["inputs"]["positive"] = ["22", 0]
    second["22"] = node("LoadImage", image="other.png")
    second["23"] = node("ImageBatch", image1=["20", 0], image2=["22", 0])
    second["21"]["inputs"]["pixels"] = ["23", 0]
    for other in (masked, hinted, second):
        assert "reference" not in find_slots(other).slots


def test_titles_alone_are_enough() -> None:
    found = find_slots(titled())
    assert places(found) == {
        "prompt": [("2", "value")],
        "negative": [("3", "value")],
        "reference": [("5", "image")],
        "seed": [("4", "value")],
        "steps": [("10", "steps")],
        "cfg": [("10", "cfg")],
        "output": [("12", "images")],
    }
    assert {slot for slot, source in sources(found).items() if source == {"title"}} == {
        "prompt",
        "negative",
        "reference",
        "seed",
        "output",
    }


def test_a_title_names_several_slots_and_several_nodes_are_one() -> None:
    graph = plain()
    graph["5"]["_meta"]["title"] = "avatarforge: Width , HEIGHT"
    graph["6"]["_meta"]["title"] = graph["7"]["_meta"]["title"] = "AvatarForge:prompt"
    found = find_slots(graph)
    assert places(found)["prompt"] == [("6", "text"), ("7", "text")]
    assert "negative" not in found.slots  # its text is taken
    assert sources(found)["width"] == sources(found)["height"] == {"title"}


def test_both_samplers_get_the_seed_and_the_last_picture_is_the_result() -> None:
    found = places(find_slots(two_samplers()))
    assert found["seed"] == [("10", "noise_seed"), ("3", "noise_seed")]
    assert found["output"] == [("9", "images")]
    assert found["width"] == [("5", "width")]


def test_the_guider_the_noise_and_the_scheduler_of_a_custom_sampler_are_found() -> None:
    found = places(find_slots(custom_sampler()))
    assert found == {
        "prompt": [("4", "text")],  # a zeroed conditioning has no negative words
        "pose": [("6", "image")],
        "seed": [("11", "noise_seed")],
        "width": [("13", "value")],
        "height": [("15", "height"), ("14", "height")],
        "steps": [("14", "steps")],
        "cfg": [("10", "cfg")],
        "output": [("18", "images")],
    }


def test_app_mode_marks_what_is_in_a_subgraph() -> None:
    graph, workflow = edit_in_app_mode()
    found = find_slots(graph, workflow)
    assert places(found)["reference"] == [("41", "image")]  # the first of two pictures
    assert places(found)["prompt"] == [("170:4", "prompt")]
    assert places(found)["negative"] == [("170:5", "prompt")]
    assert sources(found)["reference"] == sources(found)["prompt"] == sources(found)["output"] == {"app"}
    assert places(find_slots(graph))["output"] == [("182", "images")]


def test_a_promoted_widget_and_an_id_with_its_subgraph_are_found() -> None:
    graph, workflow = edit_in_app_mode()
    del graph["170:5"]["inputs"]["prompt"]
    for name in ("170", "e13112f7-3d09-4ae1-9e84-633a0627d945:4:prompt"):
        workflow["extra"]["linearData"]["inputs"] = [[name, "prompt"]]
        found = find_slots(graph, workflow)
        assert [(item.node, item.source) for item in found.slots["prompt"]] == [("170:4", "app")]


def test_app_mode_names_a_node_of_the_graph_with_the_id_of_the_graph() -> None:
    graph_id = "00000000-0000-0000-0000-000000000000"
    inputs = [[f"{graph_id}:{node_id}:{name}", name] for node_id, name in (("6", "text"), ("3", "seed"))]
    workflow = {"id": graph_id, "extra": {"linearData": {"inputs": inputs, "outputs": ["9"]}}}
    found = find_slots(plain(), workflow)
    assert places(found) == places(find_slots(plain()))
    assert {slot for slot, told_by in sources(found).items() if told_by == {"app"}} == {
        "prompt",
        "seed",
        "output",
    }


def test_a_subgraph_shows_an_input_of_its_node_under_another_name() -> None:
    graph = plain()
    graph["12:6"] = graph.pop("6")
    graph["3"]["inputs"]["positive"] = ["12:6", 0]
    inner = {"id": 6, "inputs": [{"name": "clip"}, {"name": "text"}]}
    links = [{"id": 1, "target_id": 6, "target_slot": 0}, {"id": 2, "target_id": 6, "target_slot": 1}]
    shown = [{"name": "clip", "linkIds": [1]}, {"name": "words", "linkIds": [2]}]
    workflow = {
        "nodes": [{"id": 12, "type": "sub"}],
        "definitions": {"subgraphs": [{"id": "sub", "inputs": shown, "nodes": [inner], "links": links}]},
        "extra": {"linearData": {"inputs": [["g:12:words", "words"]], "outputs": []}},
    }
    found = find_slots(graph, workflow)
    assert [(item.node, item.input, item.source) for item in found.slots["prompt"]] == [
        ("12:6", "text", "app")
    ]
    links[1]["target_slot"] = 7  # what leads nowhere is passed over
    assert find_slots(graph, workflow).slots["prompt"][0].source == "link"


@pytest.mark.parametrize(
    "linear",
    [
        None,
        [],
        {},
        {"inputs": 5, "outputs": "x"},
        {"inputs": [5, [], ["4"], [None, {}], "ab"], "outputs": [[], {}]},
    ],
)
def test_odd_marks_of_app_mode_are_passed_over(linear: Any) -> None:
    found = find_slots(plain(), {"extra": {"linearData": linear}})
    assert found.slots == find_slots(plain()).slots


def test_our_own_nodes_say_what_they_are_for() -> None:
    graph = plain()
    graph["6"] = node(
        "AvatarForgePrompt", prompt="a knight", negative_prompt="hat", view="front", clip=["4", 1]
    )
    graph["3"]["inputs"].update(positive=["6", 0], negative=["6", 1])
    graph["20"] = node("AvatarForgePoseSkeleton", view="front", width=64, height=64, bones="standard")
    graph["21"] = node("AvatarForgeApplyPose", positive=["6", 0], negative=["6", 1], image=["20", 0])
    graph["3"]["inputs"].update(positive=["21", 0], negative=["21", 1])
    found = find_slots(graph)
    assert places(found)["prompt"] == [("6", "prompt")]
    assert places(found)["negative"] == [("6", "negative_prompt")]
    assert places(found)["pose"] == [("20", "view")]
    assert sources(found)["prompt"] == {"node"}


def test_only_our_own_nodes_are_the_slot_of_a_character() -> None:
    graph = plain()
    graph["6"] = node("AvatarForgeCharacterPrompt", character="Mira", prompt="x", clip=["4", 1])
    graph["20"] = node("AvatarForgeLoadCharacter", character="Mira", version=0)
    graph["21"] = node("AvatarForgePrompt", "Character", character="red hair", prompt="x", clip=["4", 1])
    graph["22"] = node("PrimitiveString", "character", value="Mira")
    found = find_slots(graph)
    assert places(found)["character"] == [("6", "character"), ("20", "character")]
    assert sources(found)["character"] == {"node"}
    assert found.problems == ()
    refused = find_slots(graph, None, {"character": {"node": "21", "input": "character"}})
    assert "has no input 'character' for the slot character" in refused.problems[0].message


def test_what_the_request_says_wins_and_an_empty_list_means_none() -> None:
    slots = {
        "prompt": [{"node": "6"}, {"node": 7, "input": "text"}],
        "output": {"node": "9"},
        "seed": [],
    }
    found = find_slots(plain(), None, slots)
    assert places(found)["prompt"] == [("6", "text"), ("7", "text")]
    assert sources(found)["output"] == {"request"}
    assert "seed" not in found.slots and "negative" not in found.slots
    assert found.problems == ()


@pytest.mark.parametrize(
    ("slots", "reason"),
    [
        ({"colour": {"node": "6"}}, "'colour' is no slot"),
        ({"prompt": {"node": "60"}}, "names node '60', which is not in the graph"),
        ({"prompt": {"node": "6", "input": "words"}}, "has no input 'words' for the slot prompt"),
        ({"prompt": {"node": "5"}}, "has no input for the slot prompt"),
        ({"output": {"node": "6"}}, "has no input for the slot output"),
        ({"seed": {"node": "3", "input": "sampler_name"}}, "has no input 'sampler_name' for the slot seed"),
        (
            {"width": {"node": "5"}, "height": {"node": "5", "input": "width"}},
            "is in two slots: width and height",
        ),
        ({"output": [{"node": "9"}, {"node": "9"}, {"node": "10"}]}, "names node '10'"),
    ],
)
def test_a_slot_that_does_not_fit_is_refused_with_its_reason(slots: dict[str, Any], reason: str) -> None:
    messages = [problem.message for problem in find_slots(plain(), None, slots).problems]
    assert any(reason in message for message in messages), messages


def test_a_mark_that_fits_nothing_is_refused_and_an_ordinary_title_is_not() -> None:
    graph = plain()
    graph["4"]["_meta"]["title"] = "Reference"  # a loader that somebody called so
    assert find_slots(graph).problems == ()
    graph["4"]["_meta"]["title"] = "AvatarForge: reference, colour"
    messages = [problem.message for problem in find_slots(graph).problems]
    assert len(messages) == 2
    assert any("is marked as reference" in message for message in messages)
    assert any("'colour', which is no slot" in message for message in messages)


def test_a_graph_that_saves_nothing_is_refused() -> None:
    graph = plain()
    del graph["9"]
    (problem,) = find_slots(graph).problems
    assert "Mark it as the slot 'output'" in problem.message


def test_the_mask_of_a_pose_and_a_picture_that_nothing_uses_are_refused() -> None:
    graph = plain()
    graph["20"] = node("LoadImage", "pose", image="a.png")
    (problem,) = find_slots(graph).problems
    assert "Nothing uses node 20" in problem.message
    graph["21"] = node("SetLatentNoiseMask", samples=["5", 0], mask=["20", 1])
    (problem,) = find_slots(graph).problems
    assert "a picture and no mask" in problem.message
    graph["20"]["_meta"]["title"] = "reference"
    assert find_slots(graph).problems == ()


def test_a_graph_without_a_sampler_gives_its_nearest_text_and_seed() -> None:
    graph: Graph = {
        "1": node("GeminiImageNode", prompt="a castle", model="x", seed=5),
        "2": node("SaveImage", filename_prefix="mine", images=["1", 0]),
    }
    assert places(find_slots(graph)) == {
        "prompt": [("1", "prompt")],
        "seed": [("1", "seed")],
        "output": [("2", "images")],
    }


def test_a_text_that_other_nodes_put_together_is_replaced_as_a_whole() -> None:
    graph = plain()
    graph["6"]["inputs"]["text"] = ["20", 0]
    graph["20"] = node("StringConcatenate", string_a="a", string_b="b", delimiter=", ")
    graph["7"]["inputs"]["text"] = ["21", 0]
    graph["21"] = node("PrimitiveString", value="blurry")
    found = places(find_slots(graph))
    assert found["prompt"] == [("6", "text")]
    assert found["negative"] == [("21", "value")]


def test_a_size_that_is_computed_or_written_as_a_formula_is_no_slot() -> None:
    graph = plain()
    graph["5"]["inputs"].update(width=["20", 0], height=["21", 0])
    graph["20"] = node("GetImageSize", image=["22", 0])
    graph["21"] = node("Formula", value="a * 2")
    graph["22"] = node("LoadImage", image="a.png")
    assert {"width", "height"}.isdisjoint(find_slots(graph).slots)


def chain(length: int) -> Graph:
    graph = {"0": node("LoadImage", image="a.png")}
    for number in range(1, length):
        graph[str(number)] = node("ImageInvert", image=[str(number - 1), 0])
    return graph


HOSTILE: dict[str, tuple[Any, str]] = {
    "a list": ([], "is an object"),
    "a text": ("x", "is an object"),
    "nothing": ({}, "is an object"),
    "a workflow of the editor": ({"nodes": [], "links": [], "version": 0.4}, "Export (API)"),
    "a workflow without links": ({"nodes": [{}]}, "Save as AvatarForge template"),
    "a node that is a list": ({"1": []}, "Node 1 is no object"),
    "a node that is nothing": ({"1": None}, "Node 1 is no object"),
    "a node without a class": ({"1": {"inputs": {}}}, "has no class_type"),
    "a class that is a number": ({"1": {"class_type": 5, "inputs": {}}}, "has no class_type"),
    "a class of a mile": ({"1": {"class_type": "x" * 1000}}, "has no class_type"),
    "inputs that are a list": ({"1": {"class_type": "A", "inputs": []}}, "no object with up to"),
    "inputs that are a text": ({"1": {"class_type": "A", "inputs": "x"}}, "no object with up to"),
    "an input of a mile": ({"1": {"class_type": "A", "inputs": {"x" * 1000: 1}}}, "too long a name"),
    "many inputs": ({"1": {"class_type": "A", "inputs": {str(i): 1 for i in range(1000)}}}, "up to 500"),
    "a _meta that is a list": ({"1": {"class_type": "A", "inputs": {}, "_meta": []}}, "_meta of node 1"),
    "an id of a mile": ({"1" * 1000: node("A")}, "Ids of nodes"),
    "an empty id": ({"": node("A")}, "Ids of nodes"),
    "a link to nowhere": ({"1": node("A", x=["2", 0])}, "leads to node '2'"),
    "a link to no output": ({"1": node("A"), "2": node("A", x=["1", -1])}, "leads to output -1"),
    "a link to itself": ({"1": node("A", x=["1", 0])}, "in a circle"),
    "a circle": ({"1": node("A", x=["2", 0]), "2": node("A", x=["1", 0])}, "in a circle"),
    "a long chain": (chain(MAX_CHAIN + 1), "201 nodes in a row"),
    "many nodes": ({str(i): node("A") for i in range(1001)}, "1001 nodes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_graph_is_refused_with_its_reason(name: str) -> None:
    graph, reason = HOSTILE[name]
    problems = graph_problems(graph, 1000)
    assert problems
    assert reason in problems[0].message


def test_a_graph_at_the_limits_is_accepted_and_odd_values_are_left_to_comfyui() -> None:
    assert graph_problems(chain(MAX_CHAIN), MAX_CHAIN) == []
    odd = {
        "1": {"class_type": "A", "inputs": {"a": [1, 2], "b": [["x"], 0], "c": {"__value__": [1]}, "d": None}}
    }
    assert graph_problems(odd, 10) == []
    assert find_slots(odd).problems != ()
