"""The graphs of every model family: they fit ComfyUI's nodes, and equal the recorded ones.

The records in tests/data/graphs are for people to read. After a change that is meant, write them again by
running this module with AVATARFORGE_RECORD=1, and look at the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from family_requests import FamilyRequest, family_requests, render_family
from graph_checks import check_fits_the_host

from avatarforge.forge.families import FAMILIES

GRAPHS = Path(__file__).parents[1] / "data" / "graphs"
REQUESTS = list(family_requests())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_graphs_of_a_family_are_the_recorded_ones(family: str) -> None:
    path, graphs = GRAPHS / f"{family}.txt", render_family(family)
    if os.environ.get("AVATARFORGE_RECORD"):
        path.write_text(graphs, encoding="utf-8")
    assert graphs == path.read_text(encoding="utf-8")


def test_every_record_is_of_a_family() -> None:
    assert {path.stem for path in GRAPHS.iterdir()} == set(FAMILIES)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: f"{each.family}-{each.variant}-{each.name}")
def test_every_node_and_link_fits_the_recorded_host(request_: FamilyRequest) -> None:
    check_fits_the_host(request_.compile())
