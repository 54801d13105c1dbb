"""One compilation of a template: copies nodes, fills places, adds what loads and saves pictures. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..families.builder import Link, Node, PromptBuilder
from ..graphs.links import LIBRARY_POSE, inputs_of, is_sampler, link_of, steps_of, upstream
from ..graphs.pixel_art import PixelArt
from ..graphs.pose_input import add_library_pose, posed_views, posed_views_warning
from ..graphs.poses import add_pose_image
from ..graphs.receipt import AppliedPicture, applied_input
from ..graphs.references import references_of
from ..ports import Prompt
from ..spec.avatar import AvatarSpec
from ..spec.pose import PoseUse
from ..spec.receipt import AppliedInput
from ..spec.views import node_views, view_width
from ..spec.warning import GenerationWarning
from .graph import copied
from .slots import PICTURES, Place, Slots
from .template import KIND, Template
from .words import OUR_PROMPTS, inputs_of_character, negative_words, positive_words, words_of_node

#: Size of a built-in skeleton where the graph has no size: the proportions of a standing figure, in pixels.
SKELETON_SIZE = (768, 1024)
#: Pixels by which sizes are chosen: the coarsest step of a family.
STEP = 16
#: Ours that loads keypoints, where the others load a picture.
OUR_KEYPOINTS = "AvatarForgeLoadKeypoints"


@dataclass(frozen=True)
class Picture:
    """A picture for a slot: links by output of the loader whose place it takes."""

    outputs: tuple[Link, ...]


def view_size(spec: AvatarSpec, view: str | None) -> tuple[int, int] | None:
    """(width, height) in pixels; None if the graph decides the size. A narrow view keeps the height."""
    if not (isinstance(spec.width, int) and isinstance(spec.height, int)):
        return None
    return view_width(view, spec.width, spec.height, STEP), spec.height


class Builder(PromptBuilder):
    """Adds nodes to a graph of others, with ids that it does not have."""

    def __init__(self, prompt: Prompt) -> None:
        super().__init__()
        self.prompt = copied(prompt)
        parts = (part for node_id in prompt for part in node_id.split(":"))
        self._last = max((int(part) for part in parts if part.isascii() and part.isdigit()), default=0)

    def new_id(self) -> str:
        self._last += 1
        return str(self._last)

    def add(self, class_type: str, title: str, **inputs: Any) -> Node:
        node = Node(self.new_id())
        self.prompt[node.id] = {"class_type": class_type, "inputs": inputs, "_meta": {"title": title}}
        return node


class Filling:
    """One compilation. `lines` is its receipt."""

    def __init__(self, template: Template, spec: AvatarSpec) -> None:
        self._template = template
        self._spec = spec
        self._build = Builder(template.prompt)
        self._pixel_art = PixelArt(self._build, spec)
        self._references: dict[str, Picture] = {}
        self._saves: list[str] = []
        self.lines: list[AppliedInput] = []
        self.warnings: list[GenerationWarning] = []

    def values(self, position: int) -> dict[Place, Any]:
        """What each place gets for a picture; places that keep their own value are absent."""
        spec, found = self._spec, dict[Place, Any]()
        view = spec.pictures[position]
        size = view_size(spec, view)
        plain = {
            "seed": spec.seed_at(position),
            "width": size[0] if size else spec.width,
            "height": size[1] if size else spec.height,
            "steps": spec.steps,
            "cfg": spec.cfg,
            "pose": self._pose(view),
            "reference": self._load_reference(view),
        }
        for slot, places in self._template.slots.items():
            for place in places:
                if slot in ("prompt", "negative"):
                    found[place] = self._words(slot, place, view)
                elif slot == "character":
                    shown = inputs_of_character(spec, inputs_of(self._template.prompt, place.node))
                    found.update({place: shown} if shown else {})
                elif plain.get(slot) is not None:
                    found[place] = self._adapted(plain[slot], place)
        return found

    def changed_nodes(self, place: Place) -> list[str]:
        """The nodes whose inputs change when a place is filled."""
        if link_of(inputs_of(self._template.prompt, place.node).get(place.input)) is None and _is_picture(
            self._template.slots, place
        ):
            return [node_id for node_id, _, _ in self._followers(place.node)]
        return [place.node]

    def copy(self, nodes: set[str], number: int) -> dict[str, str]:
        """Add the copies of a view; id in the graph -> id of the copy."""
        if number == 0:
            return {node_id: node_id for node_id in nodes}
        names = {node_id: self._build.new_id() for node_id in self._template.prompt if node_id in nodes}
        original = copied(self._template.prompt)
        shared = self._build.prompt
        for node_id, new_id in names.items():
            node = original[node_id]
            for name in node["inputs"]:
                link = link_of(node["inputs"][name])
                if link is not None and link[0] in names:
                    node["inputs"][name] = [names[link[0]], link[1]]
                elif link is not None:
                    # As the first view has it: a link to a picture that is the same for all views.
                    node["inputs"][name] = shared[node_id]["inputs"][name]
            shared[new_id] = node
        return names

    def fill(self, values: Mapping[Place, Any], names: Mapping[str, str], *, shared: bool) -> None:
        """Fill the places of a view. `shared`: also those of nodes that all views share."""
        for place, value in values.items():
            if isinstance(value, Picture):
                self._link_picture(place, value, names, shared=shared)
            elif place.node in names or shared:
                inputs = self._build.prompt[names.get(place.node, place.node)]["inputs"]
                if isinstance(value, Mapping):
                    inputs.update(value)
                else:
                    inputs[place.input] = value

    def save(
        self, output: Place, names: Mapping[str, str], view: str | None, generation_id: str, position: int
    ) -> None:
        label = f" ({view})" if view else ""
        images = self._build.prompt[names[output.node]]["inputs"][output.input]
        # A batch would be saved under the numbers of the next views.
        first = self._build.add("ImageFromBatch", f"First{label}", image=images, batch_index=0, length=1)
        picture, _ = self._pixel_art.reduce(first.out(), label)
        save = self._build.add(
            "AvatarForgeSave",
            f"Save{label}",
            images=picture,
            generation_id=generation_id,
            position=position + 1,
        )
        self._saves.append(save.id)

    def begin_sheet(self) -> None:
        """Reduce what follows to a palette of its own, if it is reduced to large pixels."""
        self._pixel_art.begin_sheet()

    def use_saved_palette(self, generation_id: str, position: int) -> None:
        """Reduce the views to the palette of a saved one, if they are reduced to large pixels."""
        self._pixel_art.use_saved_palette(generation_id, position)

    def record(self, position: int, names: Mapping[str, str]) -> None:
        """Add the lines of the pictures that a picture is made of to the receipt."""
        prompt, view = self._build.prompt, self._spec.pictures[position]
        nodes = upstream(prompt, self._saves[-1:])
        steps = sum(steps_of(prompt, node_id) for node_id in nodes if is_sampler(prompt[node_id])) or 1
        for slot in PICTURES:
            use = self._use(slot, view)
            if use is None:
                continue
            links = [link for place in self._template.slots[slot] for link in self._places_of(place)]
            node = next((name for link in links if (name := names.get(link[0], link[0])) in nodes), None)
            if node is not None:
                role, given = use
                line = applied_input(
                    AppliedPicture(role, KIND, given, 1.0),
                    view,
                    node=node,
                    node_type=str(prompt[node]["class_type"]),
                    model=self._template.name,
                    steps=steps,
                )
                number = position + 1 if self._spec.count > 1 else None
                self.lines.append(replace(line, picture=number))

    def prompt(self, *, whole: bool = False) -> Prompt:
        """What leads to the pictures; other outputs of the graph run only if it is `whole`."""
        needed = set(self._build.prompt if whole else upstream(self._build.prompt, self._saves))
        return {node_id: node for node_id, node in self._build.prompt.items() if node_id in needed}

    def _words(self, slot: str, place: Place, view: str | None) -> Any:
        spec = self._spec
        inputs = inputs_of(self._template.prompt, place.node)
        own = inputs.get(place.input)
        own = own if isinstance(own, str) else str(self._template.own_value(place) or "")
        if place.class_type in OUR_PROMPTS:  # it composes the words itself
            if slot == "negative":
                return own if spec.negative_prompt is None else spec.negative_prompt
            return words_of_node(spec, view, place.class_type, inputs)
        return negative_words(spec, view, own) if slot == "negative" else positive_words(spec, view)

    def _use(self, slot: str, view: str | None) -> tuple[str, Any] | None:
        """(role, given picture) of what fills the slot for a view; None if it keeps its own picture."""
        spec = self._spec
        if slot not in self._template.slots:
            return None
        if slot == "reference":
            return next((("reference", use) for use in references_of(spec, view)), None)
        if spec.pose is not None and view in posed_views(spec):
            return "pose", spec.pose
        return ("view", None) if view is not None and spec.skeleton_strength > 0 else None

    def _pose(self, view: str | None) -> Picture | None:
        use = self._use("pose", view)
        if use is None:
            return None
        size, pose = view_size(self._spec, view), use[1]
        if isinstance(pose, PoseUse) and pose.of_library:
            given = add_library_pose(self._build, self._spec, pose, (view,), size or SKELETON_SIZE)
            return Picture((given.out(),))
        if isinstance(pose, PoseUse):
            sheet = self._spec.has_several_views
            self._warn_of_sheet() if sheet else None
            image = add_pose_image(
                self._build,
                pose.plan,
                pose.file,
                *(size or (0, 0)),
                self._spec.bones,
                from_behind=sheet and view == "back",
            ).image
            return Picture((image,))
        width, height = size or SKELETON_SIZE
        skeleton = self._build.add(
            "AvatarForgePoseSkeleton",
            f"Skeleton ({view})",
            width=width,
            height=height,
            bones=self._spec.bones,
            **node_views((view,)),
        )
        return Picture((skeleton.out(),))

    def _adapted(self, value: Any, place: Place) -> Any:
        """What fills a place: for the loader of keypoints those of the picture, and for the pose of the
        library the picture and its keypoints."""
        if not isinstance(value, Picture) or place.class_type not in (OUR_KEYPOINTS, LIBRARY_POSE):
            return value
        image = value.outputs[0]
        if self._build.prompt[image[0]]["class_type"] == LIBRARY_POSE:
            keypoints: Link = [image[0], 1]
        else:
            keypoints = self._build.add_shared(
                "AvatarForgeReadSkeleton", "Read the skeleton", image=image, from_behind=False
            ).out()
        return Picture((keypoints,) if place.class_type == OUR_KEYPOINTS else (image, keypoints))

    def _warn_of_sheet(self) -> None:
        warning = posed_views_warning(self._spec)
        if warning not in self.warnings:
            self.warnings.append(warning)

    def _load_reference(self, view: str | None) -> Picture | None:
        found = self._use("reference", view)
        if found is None:
            return None
        file_id = found[1].file_id
        if file_id not in self._references:
            node = self._build.add("AvatarForgeLoadReference", "Reference", file_id=file_id)
            self._references[file_id] = Picture((node.out(0), node.out(1), node.out(2)))
        return self._references[file_id]

    def _places_of(self, place: Place) -> list[tuple[str, str, int]]:
        """(node, input, output) of the links that a picture takes over: the one that is named, or all from a
        loader that is."""
        if link_of(inputs_of(self._template.prompt, place.node).get(place.input)) is not None:
            return [(place.node, place.input, 0)]
        return self._followers(place.node)

    def _followers(self, loader: str) -> list[tuple[str, str, int]]:
        return [
            (node_id, name, link[1])
            for node_id in self._template.prompt
            for name, value in inputs_of(self._template.prompt, node_id).items()
            if (link := link_of(value)) is not None and link[0] == loader
        ]

    def _link_picture(
        self, place: Place, picture: Picture, names: Mapping[str, str], *, shared: bool
    ) -> None:
        for node_id, name, output in self._places_of(place):
            if (node_id in names or shared) and output < len(picture.outputs):
                inputs = self._build.prompt[names.get(node_id, node_id)]["inputs"]
                inputs[name] = list(picture.outputs[output])


def _is_picture(slots: Slots, place: Place) -> bool:
    return any(place in slots.get(slot, ()) for slot in PICTURES)
