"""How much of a run is done, read off the prompt that runs."""

from __future__ import annotations

from dataclasses import replace

from graphs import custom_sampler, plain, two_samplers
from specs import spec

from avatarforge.forge.graphs.compile import compile_prompt, compile_reroll
from avatarforge.forge.live.plan import OTHER_SHARE, Plan, plan
from avatarforge.forge.ports import NodeState, Prompt
from avatarforge.forge.spec.avatar import AvatarSpec
from avatarforge.forge.spec.views import SHEET_VIEWS

ID = "00000000-0000-4000-8000-00000000000a"


def compiled(wanted: AvatarSpec) -> tuple[Prompt, Plan]:
    prompt = compile_prompt(wanted, ID).prompt
    return prompt, plan(prompt, wanted)


def of_type(prompt: Prompt, class_type: str) -> list[str]:
    return [key for key, node in prompt.items() if node["class_type"] == class_type]


def finished(keys: list[str]) -> dict[str, NodeState]:
    return {key: NodeState(False, 1, 1) for key in keys}


def test_nothing_begun_is_0_and_everything_finished_is_1() -> None:
    prompt, planned = compiled(replace(spec(), views=SHEET_VIEWS))
    assert planned.done({}) == 0
    assert abs(planned.done(finished(list(prompt))) - 1) < 1e-9


def test_half_the_steps_of_the_only_sampler_are_half_of_the_sampling() -> None:
    prompt, planned = compiled(spec())
    (sampler,) = of_type(prompt, "KSampler")
    assert abs(planned.done({sampler: NodeState(True, 10, 20)}) - (1 - OTHER_SHARE) / 2) < 1e-9


def test_a_sheet_one_after_another_counts_the_steps_of_four_samplers() -> None:
    prompt, planned = compiled(replace(spec(), views=SHEET_VIEWS, turnaround="sequential"))
    samplers = of_type(prompt, "KSampler")
    assert len(samplers) == 4
    assert [planned.view_of(key) for key in samplers] == list(SHEET_VIEWS)
    assert abs(planned.done(finished(samplers[:1])) - (1 - OTHER_SHARE) / 4) < 1e-9


def test_a_batch_has_one_sampler_for_all_views_and_a_row_for_each() -> None:
    prompt, planned = compiled(replace(spec(), views=SHEET_VIEWS))
    (sampler,) = of_type(prompt, "KSampler")
    assert planned.view_of(sampler) is None
    assert [planned.position_of(sampler, row) for row in range(5)] == [0, 1, 2, 3, None]
    assert [planned.view_of(key) for key in of_type(prompt, "AvatarForgeSave")] == list(SHEET_VIEWS)


def test_what_stands_before_a_sampler_belongs_to_its_view() -> None:
    prompt, planned = compiled(replace(spec(), views=SHEET_VIEWS, turnaround="sequential"))
    assert [planned.view_of(key) for key in of_type(prompt, "AvatarForgePrompt")] == list(SHEET_VIEWS)
    assert [planned.view_of(key) for key in of_type(prompt, "CheckpointLoaderSimple")] == [None]


def test_a_reroll_works_on_its_own_view_alone() -> None:
    wanted = replace(spec(), views=SHEET_VIEWS, reseeded={"side": 7})
    prompt = compile_reroll(wanted, ID, SHEET_VIEWS.index("side")).prompt
    planned = plan(prompt, wanted)
    (sampler,) = of_type(prompt, "KSampler")
    assert planned.view_of(sampler) == "side"
    assert planned.position_of(sampler, 0) == SHEET_VIEWS.index("side")


def test_a_graph_without_a_sampler_and_odd_states_still_give_a_share() -> None:
    prompt: Prompt = {
        "1": {"class_type": "LoadImage", "inputs": {}},
        "2": {"class_type": "AvatarForgeSave", "inputs": {"images": ["1", 0], "position": 9}},
    }
    planned = plan(prompt, spec())
    assert (
        planned.done({"1": NodeState(True, 5, 0), "2": NodeState(False, 9, 3), "x": NodeState(False, 1, 1)})
        == 0.5
    )
    assert planned.view_of("2") is None  # there is no such picture in this generation


def test_custom_samplers_count_the_steps_of_their_schedulers() -> None:
    graph: Prompt = custom_sampler()
    graph["19"] = {"class_type": "AvatarForgeSave", "inputs": {"images": ["17", 0], "position": 1}}
    planned = plan(graph, spec())
    assert planned.nodes["16"].steps == 20
    assert planned.view_of("16") == "front"
    assert abs(planned.done({"16": NodeState(True, 5, 20)}) - (1 - OTHER_SHARE) / 4) < 1e-9


def test_a_sampler_that_runs_a_part_of_the_steps_counts_that_part() -> None:
    graph: Prompt = two_samplers()
    graph["3"]["inputs"]["steps"] = graph["10"]["inputs"]["steps"] = 20
    graph["3"]["inputs"]["end_at_step"] = graph["10"]["inputs"]["start_at_step"] = 15
    graph["13"] = {"class_type": "AvatarForgeSave", "inputs": {"images": ["8", 0], "position": 1}}
    planned = plan(graph, spec())
    assert (planned.nodes["3"].steps, planned.nodes["10"].steps) == (15, 5)
    assert abs(planned.done(finished(["3"])) - (1 - OTHER_SHARE) * 3 / 4) < 1e-9


def test_the_sampler_of_a_pack_and_steps_behind_a_value_node_count() -> None:
    graph: Prompt = plain()
    graph["3"]["class_type"] = "FancySampler"
    graph["3"]["inputs"]["steps"] = ["20", 0]
    graph["20"] = {"class_type": "PrimitiveInt", "inputs": {"value": 30}}
    assert plan(graph, spec()).nodes["3"].steps == 30
    graph["3"]["inputs"]["steps"] = ["8", 0]  # computed
    assert plan(graph, spec()).nodes["3"].steps == 1
