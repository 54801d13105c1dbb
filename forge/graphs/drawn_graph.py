"""The graph of a generation whose views are drawn, without any model: poses, reference, receipt, and saving.

One node draws all views of a batch. It gives a picture and a mask of its parts for each, which are saved
together, so that the picture can later be used as a reference part by part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..families.builder import Link, Node, PromptBuilder
from ..pictures.doll.views import SAME_SEED
from ..ports import Prompt
from ..spec.avatar import AvatarSpec
from ..spec.receipt import AppliedInput
from ..spec.views import node_views
from ..spec.warning import GenerationWarning
from .drawn_words import drawn_prompt
from .links import PAPER_DOLL
from .pixel_art import PixelArt
from .pose_input import (
    PoseInput,
    add_library_pose,
    decides_some_views,
    is_from_behind,
    pose_input,
    posed_views_warning,
)
from .poses import add_keypoints
from .receipt import WHOLE, AppliedPicture, applied_input, applied_pose, applied_reference
from .reference_input import load_references
from .references import references_of

# Outputs of the nodes that draw, take and load a picture with its parts.
_PICTURE, _PARTS = 0, 1
_REFERENCE_PARTS = 2
#: Role of a reference -> the node's input for it.
_INPUTS = {"identity": "reference", "face": "face_reference", "outfit": "outfit_reference"}
# Output of the node of the pose library.
_KEYPOINTS = 1


class DrawnGraph:
    """Implements `view_graph.ViewGraph`."""

    def __init__(self, spec: AvatarSpec) -> None:
        self._spec = spec
        self._build = PromptBuilder()
        self._pixel_art = PixelArt(self._build, spec)
        self.inputs: list[AppliedInput] = []
        self.warnings: list[GenerationWarning] = []
        self._skipped: set[str] = set()
        self._loaded: Mapping[str, Node] = {}
        # Whether the following views look like the front; in a batch its own row is the first.
        self._anchored = self._shared = False
        self._sheet_seed: int | None = None

    @property
    def prompt(self) -> Prompt:
        return self._build.prompt

    def is_skipped(self, role: str) -> bool:
        return role in self._skipped

    def apply_references(self, views: Sequence[str | None]) -> None:
        self._loaded = load_references(self._build, self._spec, views).nodes

    def begin_sheet(self, seed: int) -> None:
        self._build.reuses = self._sheet_seed is not None
        self._sheet_seed = seed
        self._anchored = False
        self._pixel_art.begin_sheet()

    def share_views(self) -> None:
        self._shared = self._spec.consistency > 0

    def show_anchor(self, samples: Link, image: Link) -> None:
        """The seed alone makes the views alike: no picture is looked at."""
        self._anchored = self._spec.consistency > 0

    def show_saved_anchor(self, generation_id: str, position: int) -> None:
        self._anchored = self._spec.consistency > 0

    def use_saved_palette(self, generation_id: str, position: int) -> None:
        self._pixel_art.use_saved_palette(generation_id, position)

    def sample(self, views: Sequence[str | None], size: tuple[int, int], seeds: Sequence[int]) -> Link:
        spec, (seed,) = self._spec, seeds
        poses = pose_input(spec, views)
        if poses.skips_pose:
            self._skipped.add("pose")
        elif decides_some_views(spec, poses):
            self.warnings.append(posed_views_warning(spec))
        whole = (spec.width, spec.height)
        # A built-in view and a pose of the library are cut out of the whole frame, as in a sheet. Another
        # pose has to fit into its own.
        given = poses.posed and poses.pose is not None and not poses.pose.of_library
        frame = size if given else whole
        node = self._draw(poses, frame, seed)
        self._add_lines(poses, str(node[0]))
        return self.take_view(node, 0, size[0]) if frame != size else node

    def take_view(self, samples: Link, row: int, width: int) -> Link:
        crop = 0 if width == self._spec.width else width
        return self._build.add(
            "AvatarForgeTakePicture",
            f"View {row + 1}",
            images=samples,
            masks=_parts_of(samples),
            view=row,
            width=crop,
        ).out(_PICTURE)

    def save(self, samples: Link, view: str | None, generation_id: str, position: int) -> Link:
        label = f" ({view})" if view else ""
        picture, parts = self._pixel_art.reduce(samples, label, _parts_of(samples))
        self._build.add(
            "AvatarForgeSave",
            f"Save{label}",
            images=picture,
            parts=parts,
            generation_id=generation_id,
            position=position + 1,
        )
        return samples

    def keep_loaded(self, controlnet: str | None) -> None:
        """There is no model to keep."""

    def _draw(self, poses: PoseInput, size: tuple[int, int], seed: int) -> Link:
        spec, views = self._spec, poses.views
        identity, label = self._identity(seed), self._label(views)
        return self._build.add(
            PAPER_DOLL,
            f"Paper doll{label}",
            prompt=drawn_prompt(spec),
            clothing=spec.clothing or "",
            style=spec.style or "",
            realism=spec.realism,
            negative_prompt=spec.negative_prompt or "",
            width=size[0],
            height=size[1],
            seed=identity,
            view_seed=SAME_SEED if seed == identity else seed,
            consistency=spec.consistency,
            steps=spec.steps,
            **node_views(views),
            **self._keypoints(poses),
            **self._references(views[0]),
        ).out(_PICTURE)

    def _identity(self, seed: int) -> int:
        """The seed of the character in a picture of this seed. A generation of one picture has no other view
        to look like: a re-roll draws another character."""
        shared = self._sheet_seed if len(self._spec.views) > 1 else None
        return seed if shared is None else shared

    def _label(self, views: Sequence[str | None]) -> str:
        """What the titles of the nodes for these views end with."""
        return f" ({views[0]})" if len(views) == 1 and views[0] else ""

    def _references(self, view: str | None) -> dict[str, Any]:
        """The inputs for the references of a view, one for each role."""
        inputs: dict[str, Any] = {}
        for use in references_of(self._spec, view):
            name = _INPUTS[use.role]
            loaded = self._loaded[use.file_id]
            inputs |= {
                name: loaded.out(_PICTURE),
                f"{name}_parts": loaded.out(_REFERENCE_PARTS),
                f"{name}_strength": use.strength,
            }
        return inputs

    def _keypoints(self, poses: PoseInput) -> dict[str, Link]:
        pose = poses.pose
        if pose is None:
            return {}
        if pose.of_library:
            size = (self._spec.width, self._spec.height)
            node = add_library_pose(self._build, self._spec, pose, poses.views, size)
            return {"keypoints": node.out(_KEYPOINTS)} if poses.posed else {}
        return {
            "keypoints" if view == poses.views[0] else "back_keypoints": add_keypoints(
                self._build,
                pose.plan,
                pose.file,
                self._spec.bones,
                from_behind=is_from_behind(self._spec, view),
            )
            for view in poses.posed
        }

    def _add_lines(self, poses: PoseInput, node: str) -> None:
        spec = self._spec
        references = [applied_reference(use) for use in references_of(spec, poses.views[0])]
        for number, view in enumerate(poses.views):
            records = [applied_pose(poses.pose_of(view), WHOLE), *references]
            if self._anchored or (self._shared and number > 0):
                records.append(AppliedPicture("anchor", "seed", None, spec.consistency))
            self.inputs += [
                applied_input(
                    record, view, node=node, node_type=PAPER_DOLL, model=spec.checkpoint, steps=spec.steps
                )
                for record in records
            ]


def _parts_of(picture: Link) -> Link:
    """The parts that belong to a picture."""
    return [picture[0], _PARTS]
