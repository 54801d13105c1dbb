"""The reference pictures of a graph: what loads them, and those that are encoded with the words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..families.builder import Node, PromptBuilder
from ..families.family import Picture
from ..spec.avatar import AvatarSpec
from ..spec.reference import ReferenceUse
from .receipt import AppliedPicture, applied_reference
from .reference_methods import ATTENTION, IPADAPTER
from .references import IDENTITY, references_of


@dataclass(frozen=True)
class LoadedReferences:
    """The references of some views. `nodes` load them, by file id. `common` are those that all views see, and
    None if some see others than the rest."""

    nodes: Mapping[str, Node]
    common: tuple[ReferenceUse, ...] | None = ()


def load_references(build: PromptBuilder, spec: AvatarSpec, views: Sequence[str | None]) -> LoadedReferences:
    """Load the references of these views, each file once."""
    by_view = [references_of(spec, view) for view in views]
    shown = tuple(use for use in spec.references if any(use in uses for uses in by_view))
    nodes: dict[str, Node] = {}
    for use in shown:
        title = f"Reference {len(nodes) + 1}" if nodes else "Reference"
        if use.file_id not in nodes:
            nodes[use.file_id] = build.add("AvatarForgeLoadReference", title, file_id=use.file_id)
    is_common = all(len(uses) == len(shown) for uses in by_view)
    return LoadedReferences(nodes, shown if is_common else None)


def pictures_with_words(
    uses: Sequence[ReferenceUse], nodes: Mapping[str, Node]
) -> list[tuple[Picture, AppliedPicture]]:
    """The references that are encoded with the words, in their order."""
    return [
        (
            Picture(
                nodes[use.file_id].out(),
                "person" if use.role == IDENTITY else use.role,
                "redux" if use.method == "redux" else "picture",
                use.strength,
            ),
            applied_reference(use),
        )
        for use in uses
        if use.method not in (IPADAPTER, ATTENTION)
    ]
