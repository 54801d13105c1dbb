"""The graph of a generation, for every family with models: what each view sees, the receipt, and saving.

The family decides how the model is loaded, how words and pictures are encoded, how a pose is applied and how
a view is sampled (`families.family.GraphFunctions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..families import FAMILIES, prompt_kind
from ..families.builder import Link, PromptBuilder
from ..families.family import Canvas, Encoded, Loaded, Picture, Posed, PoseHint
from ..families.prompt_text import Shown, Words, describe_pictures, prompt_parts
from ..families.steps import END, START, apply_ipadapter
from ..ports import Prompt
from ..spec.avatar import AvatarSpec
from ..spec.receipt import AppliedInput
from ..spec.reference import ReferenceUse
from ..spec.views import VIEWS
from ..spec.warning import GenerationWarning
from .pixel_art import PixelArt, load_saved
from .pose_input import (
    PoseInput,
    add_pose_input,
    decides_some_views,
    is_applied,
    pose_input,
    posed_views_warning,
)
from .receipt import WHOLE, AppliedPicture, applied_input, applied_pose, applied_reference
from .reference_input import LoadedReferences, load_references, pictures_with_words
from .references import references_of


class GenerationGraph:
    """Builds one prompt step by step. `inputs` is its receipt, `warnings` is what the user should know."""

    def __init__(self, spec: AvatarSpec) -> None:
        self._spec = spec
        self._family = FAMILIES[spec.family].variant(spec.variant)
        if self._family.graph is None:
            raise ValueError(f"The family {spec.family} is drawn: it has no model to sample with.")
        self._functions = self._family.graph
        self._build = PromptBuilder()
        self._pixel_art = PixelArt(self._build, spec)
        self.inputs: list[AppliedInput] = []
        self.warnings: list[GenerationWarning] = []
        self._skipped: set[str] = set()
        # What applies to everything that is sampled from now on: patches of the model, and pictures.
        self._patches: list[AppliedPicture] = []
        self._pictures: list[tuple[Picture, AppliedPicture]] = []
        self._references = LoadedReferences({})
        self._ipadapters: dict[str, Link] = {}  # the loaded ones, by preset
        self._loaded = self._load()
        self._common: tuple[Loaded, list[AppliedPicture], dict[str, Link]] | None = None

    @property
    def prompt(self) -> Prompt:
        return self._build.prompt

    def is_skipped(self, role: str) -> bool:
        """Whether no view of this prompt uses the role's picture, such as a front pose in a re-roll of the
        side."""
        return role in self._skipped

    def apply_references(self, views: Sequence[str | None]) -> None:
        """Apply the given references to what is sampled from now on, which are these views."""
        self._references = load_references(self._build, self._spec, views)
        self._patch_model(self._references.common or ())

    def begin_sheet(self, seed: int) -> None:
        """Let what follows see no view of the sheet before. It shares the nodes for words, poses and
        references with that."""
        if self._common is None:
            self._common = self._loaded, list(self._patches), dict(self._ipadapters)
        else:
            self._build.reuses = True
            self._loaded, self._patches, self._ipadapters = (
                self._common[0],
                list(self._common[1]),
                dict(self._common[2]),
            )
        self._pictures = []
        self._pixel_art.begin_sheet()

    def show_anchor(self, samples: Link, image: Link) -> None:
        """Let the following views see a sampled one: its latent, or its decoded picture."""
        self._show_anchor("latent", image, samples)

    def show_saved_anchor(self, generation_id: str, position: int) -> None:
        """Let the view see a saved one."""
        if self._spec.consistency > 0 and self._family.anchor is not None:
            self._show_anchor("picture", load_saved(self._build, generation_id, position), None)

    def use_saved_palette(self, generation_id: str, position: int) -> None:
        """Give the view the palette of a saved one."""
        self._pixel_art.use_saved_palette(generation_id, position)

    def share_views(self) -> None:
        """Let the rows of a batch attend to its first row."""
        weight = self._spec.consistency
        if weight > 0:
            shared = self._build.add(
                "AvatarForgeShareViews", "Share views", model=self._loaded.model, consistency=weight
            )
            self._loaded = replace(self._loaded, model=shared.out())
            self._record_patch(AppliedPicture("anchor", "latent", None, weight))

    def sample(self, views: Sequence[str | None], size: tuple[int, int], seeds: Sequence[int]) -> Link:
        """Sample these views in one batch with one seed, or a single view with each of the seeds; returns a
        link to the latent of the batch."""
        common = self._loaded, list(self._patches)
        uses = references_of(self._spec, views[0])
        if self._references.common is None:
            self._patch_model(uses)
        given = pictures_with_words(uses, self._references.nodes)
        latent = self._sample(views, size, seeds, [*given, *self._pictures])
        self._loaded, self._patches = common
        return latent

    def _sample(
        self,
        views: Sequence[str | None],
        size: tuple[int, int],
        seeds: Sequence[int],
        given: Sequence[tuple[Picture, AppliedPicture]],
    ) -> Link:
        spec, functions = self._spec, self._functions
        batch, label = len(views) > 1, self._label(views)
        poses = pose_input(spec, views)
        if poses.skips_pose:
            self._skipped.add("pose")
        elif decides_some_views(spec, poses):
            self.warnings.append(posed_views_warning(spec))
        hint = add_pose_input(self._build, spec, poses, size, label) if is_applied(spec, poses) else None
        pictures = [picture for picture, _ in given]
        if hint is not None and spec.pose_method == "picture":
            pictures.append(Picture(hint, "pose"))
        words = self._words(views, label, pictures)
        encoded = functions.encode(self._build, spec, self._loaded, words, pictures)
        self._add_picture_lines(views, given, encoded)
        model = self._loaded.model
        if hint is not None and spec.pose_method == "picture":
            self._add_pose_lines(poses, encoded.nodes[-1], WHOLE)
        elif hint is not None:
            applied = self._apply_pose(encoded, PoseHint(hint, poses.strength, label))
            model, encoded = applied.model, applied.encoded
            self._add_pose_lines(poses, applied.node, poses.strength)
        for patch in self._patches:
            for view in views[1:] if batch and patch.role == "anchor" else views:
                self._add_line(patch, view, patch.node)
        if len(seeds) > 1:
            model = self._build.add(
                "AvatarForgeRowSeeds",
                f"A seed for each picture{label}",
                model=model,
                seeds=", ".join(map(str, seeds)),
            ).out()
        canvas = self._canvas(max(len(views), len(seeds)), size, seeds[0], label)
        return functions.sample(self._build, spec, model, encoded, canvas)

    def take_view(self, samples: Link, row: int, width: int) -> Link:
        """One row of a batch, centre-cropped to `width` pixels."""
        crop = 0 if width == self._spec.width else width
        return self._build.add(
            "AvatarForgeTakeView", f"View {row + 1}", samples=samples, view=row, width=crop
        ).out()

    def save(self, samples: Link, view: str | None, generation_id: str, position: int) -> Link:
        """Decode and save a view; returns a link to what was decoded."""
        label = f" ({view})" if view else ""
        decoded = self._build.add("VAEDecode", f"Decode{label}", samples=samples, vae=self._loaded.vae).out()
        picture, _ = self._pixel_art.reduce(decoded, label)
        self._build.add(
            "AvatarForgeSave",
            f"Save{label}",
            images=picture,
            generation_id=generation_id,
            position=position + 1,
        )
        return decoded

    def keep_loaded(self, controlnet: str | None) -> None:
        """Keep a ControlNet loaded that this prompt does not use. ComfyUI drops cached outputs that the next
        prompt does not name, so after a request without a pose the ControlNet would be read again. A loader
        that leads to no output is never run, but keeps its cached output."""
        loads = any(node["class_type"] == "ControlNetLoader" for node in self.prompt.values())
        if controlnet is not None and not loads:
            self._build.add(
                "ControlNetLoader",
                "Pose ControlNet (not used, kept loaded)",
                control_net_name=controlnet,
            )

    def _load(self) -> Loaded:
        spec, build = self._spec, self._build
        loaded = self._functions.load(build, spec)
        for lora in spec.loras:
            if not lora.has_effect:
                continue
            clip_strength = lora.strength if lora.clip_strength is None else lora.clip_strength
            if self._family.lora_on_clip:
                node = build.add(
                    "LoraLoader",
                    "LoRA",
                    model=loaded.model,
                    clip=loaded.clip,
                    lora_name=lora.name,
                    strength_model=lora.strength,
                    strength_clip=clip_strength,
                )
                loaded = replace(loaded, model=node.out(0), clip=node.out(1))
            else:
                node = build.add(
                    "LoraLoaderModelOnly",
                    "LoRA",
                    model=loaded.model,
                    lora_name=lora.name,
                    strength_model=lora.strength,
                )
                loaded = replace(loaded, model=node.out())
            kind = "requested" if not lora.helps else f"helps {lora.helps}"
            self._patches.append(
                AppliedPicture("lora", kind, None, lora.strength, node=node.id, model=lora.name)
            )
        return loaded

    def _patch_model(self, uses: Sequence[ReferenceUse]) -> None:
        """Let the model see the references that are no numbered pictures."""
        for use in uses:
            image = self._references.nodes[use.file_id].out()
            if use.method == "ipadapter":
                model = apply_ipadapter(self._build, self._loaded.model, use, image, self._ipadapters)
                self._loaded = replace(self._loaded, model=model)
                self._record_patch(applied_reference(use))
            elif use.method == "attention":
                self._attend("Apply reference", self._encode("Reference", image), use.strength)
                self._record_patch(applied_reference(use))

    def _show_anchor(self, kind: str, image: Link, samples: Link | None) -> None:
        weight = self._spec.consistency
        if weight == 0:
            return
        if self._family.anchor == "picture":
            record = AppliedPicture("anchor", "picture", None, WHOLE)
            self._pictures.append((Picture(image, "front"), record))
        elif self._family.anchor == "attention":
            latent = samples if samples is not None else self._encode("Saved front", image)
            self._attend("Look at the front", latent, weight)
            self._record_patch(AppliedPicture("anchor", kind, None, weight))

    def _words(self, views: Sequence[str | None], label: str, pictures: Sequence[Picture]) -> Words:
        spec = self._spec
        numbered = [picture.shows for picture in pictures if picture.method == "picture"]
        parts = prompt_parts(spec, self._describe(numbered, views))
        kind = prompt_kind(spec.family, spec.variant)
        return Words(parts, self._family.words, kind, tuple(views), label)

    def _describe(self, shown: Sequence[Shown], views: Sequence[str | None]) -> str:
        """Sentences about the numbered pictures, and those that helper LoRAs were trained on."""
        view = VIEWS.get(views[0] or "") if len(views) == 1 else None
        face = view is None or view.shows_face
        sentences = [describe_pictures(shown, self._family.picture_noun, shows_face=face)]
        used = {lora.helps for lora in self._spec.loras}
        if {"person", "front"} & set(shown) and len(views) == 1:
            helpers = [helper for helper in self._family.helper_loras if helper.helps in used]
            camera = [helper.words.get(views[0] or "") for helper in helpers]
            sentences += [f"{words}." for words in camera if words]
        return " ".join(filter(None, sentences))

    def _apply_pose(self, encoded: Encoded, hint: PoseHint) -> Posed:
        apply = self._functions.pose
        if apply is None:
            raise ValueError(f"The family {self._family.name} declares no function for a pose.")
        return apply(self._build, self._spec, self._loaded, encoded, hint)

    def _label(self, views: Sequence[str | None]) -> str:
        """What the titles of the nodes for these views end with."""
        return f" ({views[0]})" if len(views) == 1 and views[0] else ""

    def _canvas(self, rows: int, size: tuple[int, int], seed: int, label: str) -> Canvas:
        latent = self._build.add(
            "AvatarForgeViewsLatent",
            f"Canvas{label}",
            width=size[0],
            height=size[1],
            views=rows,
            shared_noise=True,
            family=self._spec.family,
        )
        return Canvas(latent.out(), size, seed, label)

    def _encode(self, title: str, image: Link) -> Link:
        return self._build.add(
            "AvatarForgeReferenceLatent",
            f"{title} latent",
            vae=self._loaded.vae,
            image=image,
            width=self._spec.width,
            height=self._spec.height,
            fit="crop",
        ).out()

    def _attend(self, title: str, reference: Link, strength: float) -> None:
        patched = self._build.add(
            "AvatarForgeApplyReference",
            title,
            model=self._loaded.model,
            reference=reference,
            strength=strength,
            start_percent=START,
            end_percent=END,
        )
        self._loaded = replace(self._loaded, model=patched.out())

    def _record_patch(self, record: AppliedPicture) -> None:
        """Record the newest model patch for the receipt."""
        self._patches.append(replace(record, node=str(self._loaded.model[0])))

    def _add_picture_lines(
        self,
        views: Sequence[str | None],
        given: Sequence[tuple[Picture, AppliedPicture]],
        encoded: Encoded,
    ) -> None:
        for (_, record), node in zip(given, encoded.nodes, strict=False):
            for view in views:
                self._add_line(record, view, node)

    def _add_pose_lines(self, poses: PoseInput, node: str, strength: float) -> None:
        for view in poses.views:
            record = applied_pose(poses.pose_of(view), strength, self._spec.controlnet)
            self._add_line(record, view, node)

    def _add_line(self, record: AppliedPicture, view: str | None, node: str) -> None:
        self.inputs.append(
            applied_input(
                record,
                view,
                node=node,
                node_type=self._build.prompt[node]["class_type"],
                model=record.model or self._spec.checkpoint,
                steps=self._spec.steps,
            )
        )
