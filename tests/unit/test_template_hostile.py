"""Graphs of random parts: whatever the structure check lets through can be searched, filled and compiled."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from graphs import custom_sampler, edit_in_app_mode, plain, titled, two_samplers
from specs import REFERENCE, SKELETON

from avatarforge.forge.errors import UnprocessableError
from avatarforge.forge.spec.views import SHEET_VIEWS
from avatarforge.forge.templates.fill import compile_template, trial_prompt
from avatarforge.forge.templates.find import find_slots
from avatarforge.forge.templates.graph import graph_problems
from avatarforge.forge.templates.template import Template, trial_spec

ROUNDS = 300
GRAPHS = (plain(), titled(), two_samplers(), custom_sampler(), edit_in_app_mode()[0])
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**64,
    1e300,
    "",
    "x",
    [],
    [1, 2],
    ["3", 0],
    ["6", 0],
    ["9", 0],
    ["3", True],
    ["3", 2**40],
    [["3"], 0],
    {},
    {"__value__": [1]},
    {"a": {"b": []}},
)
#: Classes that a node is turned into.
OTHERS = ("SaveImage", "LoadImage", "AvatarForgePrompt", "AvatarForgeLoadCharacter")
TITLES: tuple[Any, ...] = (
    *("prompt", "negative", "character", "pose", "reference"),
    *("seed", "width", "height", "steps", "cfg", "output"),
    *(
        "AvatarForge:",
        "AvatarForge: pose, seed",
        "avatarforge:prompt,,prompt",
        "x" * 300,
        5,
        None,
        ["prompt"],
    ),
)


def mutated(dice: random.Random) -> dict[str, Any]:
    graph: dict[str, Any] = copy.deepcopy(dice.choice(GRAPHS))
    for _ in range(dice.randint(1, 6)):
        node = graph[dice.choice(list(graph))]
        match dice.randint(0, 6):
            case 0:
                node["_meta"] = dice.choice(({}, {"title": dice.choice(TITLES)}))
            case 1:
                node["class_type"] = dice.choice((*OTHERS, "X"))
            case 2 if node["inputs"]:
                node["inputs"][dice.choice(list(node["inputs"]))] = copy.deepcopy(dice.choice(VALUES))
            case 3 if node["inputs"]:
                del node["inputs"][dice.choice(list(node["inputs"]))]
            case 4:
                name = dice.choice(("text", "image", "images", "seed", "positive", "latent_image", "view"))
                node["inputs"][name] = copy.deepcopy(dice.choice(VALUES))
            case 5:
                graph.pop(dice.choice(list(graph)))
                if not graph:
                    return plain()
            case _:
                node["inputs"][dice.choice(("image", "text", "samples"))] = [dice.choice(list(graph)), 0]
    return graph


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_structure_check_lets_through_is_no_fault(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same graphs in every run
    compiled = 0
    for _ in range(ROUNDS):
        graph = mutated(dice)
        before = json.dumps(graph)
        if graph_problems(graph, 1000):
            continue
        found = find_slots(graph, edit_in_app_mode()[1])
        if found.problems:
            continue
        mine = Template("t", "mine", 1, graph, found.slots)
        trial_prompt(mine)
        values: dict[str, Any] = {"pose": None, "reference": None}
        if "pose" in found.slots:
            values["pose"] = SKELETON
        if "reference" in found.slots:
            values["reference"] = REFERENCE
        spec = trial_spec(mine)
        for name, value in {**values, "views": SHEET_VIEWS}.items():
            object.__setattr__(spec, name, value)
        try:
            prompt = compile_template(mine, spec, "id").prompt
        except UnprocessableError:
            continue  # a given picture leads nowhere
        compiled += 1
        json.dumps(prompt)
        saves = [item for item in prompt.values() if item["class_type"] == "AvatarForgeSave"]
        assert [save["inputs"]["position"] for save in saves][-4:] == [1, 2, 3, 4]
        assert json.dumps(graph) == before
    assert compiled > ROUNDS / 10
