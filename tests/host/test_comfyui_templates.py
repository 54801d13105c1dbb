"""Workflows of ComfyUI's own templates package, opened in the real editor and posted as templates."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab.host import ComfyUI
from lab.server import ComfyServer
from lab.template_posts import Outcome
from lab.templates import find_package, open_poster, prepare, summary

#: Plain graphs, subgraphs, App mode, edit models, nodes of other packs and of a service. ``dev.py templates``
#: takes all of them.
SAMPLE = (
    "default",
    "image_z_image_turbo",
    "image_qwen_image_edit_2511",
    "template_rob_realistic_2k_images_quick_variations",
    "basic_image_color_adjustment",
    "api_bfl_flux_1_kontext_max_image",
)
#: Of these, workflows that need nodes which ComfyUI does not have.
OTHER_PACKS = ("template_rob_realistic_2k_images_quick_variations",)


@pytest.fixture(scope="module")
def outcomes(comfyui: ComfyUI, module_factory: Callable[..., ComfyServer]) -> list[Outcome]:
    """What became of each workflow of the sample, on a ComfyUI without any model."""
    package = find_package(comfyui)
    server = module_factory(models=(), start=False)
    prepare(server.base)
    server.start()
    with open_poster(server) as poster:
        return [poster.post(name, package.workflow(name)) for name in SAMPLE]


def test_each_is_saved_or_refused_by_name(outcomes: list[Outcome]) -> None:
    assert [outcome.name for outcome in outcomes] == list(SAMPLE)
    assert [(outcome.name, outcome.faults) for outcome in outcomes if outcome.faults] == [], "\n".join(
        summary(outcomes)
    )


def test_each_is_saved_once_its_files_are_there(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        expected = "refused" if outcome.name in OTHER_PACKS else "saved"
        assert ("saved" if outcome.last.saved else "refused") == expected, outcome
        assert "output" in outcome.last.slots, outcome


def test_no_model_is_there_at_first(outcomes: list[Outcome]) -> None:
    first = {outcome.name: outcome for outcome in outcomes}
    assert first["default"].missing_files and not first["default"].saved
    assert first["image_z_image_turbo"].code == "template_incomplete"
    assert first["image_z_image_turbo"].last.slots[:2]
