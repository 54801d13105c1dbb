"""The graph of Stable Diffusion 1.5 and XL: checkpoint, pose ControlNet, reference and KSampler."""

from __future__ import annotations

from collections.abc import Sequence

from ..ports import Prompt
from ..spec.avatar import AvatarSpec, ReferenceUse
from ..spec.pose import PoseUse
from ..spec.receipt import AppliedInput
from ..spec.views import ALL_FOUR, ANY_VIEW, VIEW_NAMES
from ..spec.warning import GenerationWarning, make_warning
from .builder import Link, PromptBuilder
from .poses import add_pose_image
from .receipt import Attended, applied_input

START, END = 0.0, 1.0  # every input works from the first sampling step to the last
FRONT_AND_BACK = ("front", "back")


class StableDiffusionGraph:
    """Builds one prompt step by step. `inputs` is its receipt, `warnings` is what the user should know."""

    def __init__(self, spec: AvatarSpec) -> None:
        self._spec = spec
        self._build = PromptBuilder()
        self.inputs: list[AppliedInput] = []
        self.warnings: list[GenerationWarning] = []
        self._skipped: set[str] = set()
        loader = self._build.add("CheckpointLoaderSimple", "Checkpoint", ckpt_name=spec.checkpoint)
        self._model, self._clip, self._vae = loader.out(0), loader.out(1), loader.out(2)
        self._attended: list[Attended] = []
        self._controlnet: Link | None = None

    @property
    def prompt(self) -> Prompt:
        return self._build.prompt

    def is_skipped(self, role: str) -> bool:
        """Whether no view of this prompt uses the role's picture, such as a front pose in a re-roll of the
        side."""
        return role in self._skipped

    def apply_reference(self) -> None:
        """Apply the given reference to every view."""
        use = self._spec.reference
        if use is None or use.strength == 0:
            return
        picture = self._build.add("AvatarForgeLoadReference", "Reference", file_id=use.file_id)
        if use.method == "ipadapter":
            self._apply_ipadapter(use, picture.out())
        else:
            self._attend("Apply reference", self._encode("Reference", picture.out()), use.strength)
        self._record("reference", "picture", use.strength, use)

    def attend_to_anchor(self, samples: Link, weight: float) -> None:
        """Let the following views attend to a sampled one."""
        if weight > 0:
            self._attend("Look at the front", samples, weight)
            self._record("anchor", "latent", weight)

    def attend_to_saved_anchor(self, generation_id: str, position: int, weight: float) -> None:
        """Let the view attend to a saved one."""
        if weight > 0:
            picture = self._build.add(
                "AvatarForgeLoadView", "Saved front", generation_id=generation_id, position=position + 1
            )
            self._attend("Look at the front", self._encode("Saved front", picture.out()), weight)
            self._record("anchor", "picture", weight)

    def share_views(self) -> None:
        """Let the rows of a batch attend to its first row."""
        weight = self._spec.consistency
        if weight > 0:
            self._model = self._build.add(
                "AvatarForgeShareViews", "Share views", model=self._model, consistency=weight
            ).out()
            self._record("anchor", "latent", weight)

    def sample(self, views: Sequence[str | None], size: tuple[int, int], seed: int) -> Link:
        """Sample these views in one batch; returns a link to its latent."""
        spec = self._spec
        batch = len(views) > 1
        label = "" if batch else f" ({views[0]})" if views[0] else ""
        encoded = self._build.add(
            "AvatarForgePrompt",
            f"Words{label}",
            clip=self._clip,
            prompt=spec.prompt,
            clothing=spec.clothing or "",
            style=spec.style or "",
            realism=spec.realism,
            negative_prompt=spec.negative_prompt or "",
            view=ALL_FOUR if batch else views[0] or ANY_VIEW,
            family=spec.family,
        )
        positive, negative = self._pose(views, size, label, encoded.out(0), encoded.out(1))
        for picture in self._attended:
            model = picture.use.model if picture.use else None
            for view in views[1:] if batch and picture.role == "anchor" else views:
                self._add_line(
                    picture.role, view, picture.kind, picture.use, picture.node, model, picture.strength
                )
        latent = self._build.add(
            "AvatarForgeViewsLatent",
            f"Canvas{label}",
            width=size[0],
            height=size[1],
            views=len(views),
            shared_noise=True,
        )
        sampler = self._build.add(
            "KSampler",
            f"Sampler{label}",
            model=self._model,
            positive=positive,
            negative=negative,
            latent_image=latent.out(),
            seed=seed,
            steps=spec.steps,
            cfg=spec.cfg,
            sampler_name=spec.sampler,
            scheduler=spec.scheduler,
            denoise=1.0,
        )
        return sampler.out()

    def take_view(self, samples: Link, row: int, width: int) -> Link:
        """One row of a batch, centre-cropped to `width` pixels."""
        crop = 0 if width == self._spec.width else width
        return self._build.add(
            "AvatarForgeTakeView", f"View {row + 1}", samples=samples, view=row, width=crop
        ).out()

    def save(self, samples: Link, view: str | None, generation_id: str, position: int) -> None:
        label = f" ({view})" if view else ""
        decoded = self._build.add("VAEDecode", f"Decode{label}", samples=samples, vae=self._vae)
        self._build.add(
            "AvatarForgeSave",
            f"Save{label}",
            images=decoded.out(),
            generation_id=generation_id,
            position=position + 1,
        )

    def keep_loaded(self, controlnet: str | None) -> None:
        """Keep a ControlNet loaded that this prompt does not use. ComfyUI drops cached outputs that the next
        prompt does not name, so after a request without a pose the ControlNet would be read again. A loader
        that leads to no output is never run, but keeps its cached output."""
        if controlnet is not None and self._controlnet is None:
            self._add_loader(controlnet, "Pose ControlNet (not used, kept loaded)")

    def _add_loader(self, controlnet: str | None, title: str) -> Link:
        return self._build.add("ControlNetLoader", title, control_net_name=controlnet).out()

    def _pose(
        self, views: Sequence[str | None], size: tuple[int, int], label: str, positive: Link, negative: Link
    ) -> tuple[Link, Link]:
        spec = self._spec
        if spec.controlnet is None:
            return positive, negative
        pose = spec.pose if spec.pose and spec.pose.strength > 0 else None
        posed = self._posed_views(pose, views)
        built_in = any(view not in posed for view in views)
        strength = pose.strength if pose and posed else spec.skeleton_strength
        if strength == 0:
            return positive, negative
        if pose and posed and not built_in and len(views) == 1:
            image = self._pose_image(pose, size, views[0])
        else:
            extra = {view: self._pose_image(pose, size, view) for view in posed if pose and view}
            image = self._build.add(
                "AvatarForgePoseSkeleton",
                f"Skeleton{label}",
                view=ALL_FOUR if len(views) > 1 else views[0],
                width=size[0],
                height=size[1],
                bones=spec.bones,
                **extra,
            ).out()
        applied = self._build.add(
            "AvatarForgeApplyPose",
            f"Apply pose{label}",
            positive=positive,
            negative=negative,
            control_net=self._load_controlnet(),
            vae=self._vae,
            image=image,
            strength=strength,
            start_percent=START,
            end_percent=END,
        )
        for view in views:
            use = pose if view in posed else None
            kind = pose.plan.kind if pose and use else "built-in skeleton"
            self._add_line("pose" if use else "view", view, kind, use, applied.id, spec.controlnet, strength)
        return applied.out(0), applied.out(1)

    def _posed_views(self, pose: PoseUse | None, views: Sequence[str | None]) -> tuple[str | None, ...]:
        """The views to which the given pose applies: a single requested view; of a whole sheet the front, and
        also the back if the pose has keypoints, which can be turned around."""
        if pose is None:
            return ()
        if self._spec.views != VIEW_NAMES:
            return tuple(views)
        wanted = FRONT_AND_BACK if pose.plan.treatment == "json" else FRONT_AND_BACK[:1]
        posed = tuple(view for view in views if view in wanted)
        if not posed:
            self._skipped.add("pose")
        elif "front" in posed:
            detail = (
                f"The pose shows one view: it was applied to {' and '.join(wanted)}; the others follow the "
                "built-in skeletons."
            )
            self.warnings.append(make_warning("pose_on_some_views", detail, views=wanted))
        return posed

    def _pose_image(self, pose: PoseUse, size: tuple[int, int], view: str | None) -> Link:
        # The pose of a whole sheet is that of the front: the back shows it from behind.
        behind = view == "back" and self._spec.views == VIEW_NAMES
        return add_pose_image(
            self._build, pose.plan, pose.file, size[0], size[1], self._spec.bones, from_behind=behind
        ).image

    def _load_controlnet(self) -> Link:
        if self._controlnet is None:
            self._controlnet = self._add_loader(self._spec.controlnet, "Pose ControlNet")
            if self._spec.controlnet_is_union:
                self._controlnet = self._build.add(
                    "SetUnionControlNetType",
                    "Pose of the union",
                    control_net=self._controlnet,
                    type="openpose",
                ).out()
        return self._controlnet

    def _encode(self, title: str, image: Link) -> Link:
        return self._build.add(
            "AvatarForgeReferenceLatent",
            f"{title} latent",
            vae=self._vae,
            image=image,
            width=self._spec.width,
            height=self._spec.height,
        ).out()

    def _attend(self, title: str, reference: Link, strength: float) -> None:
        self._model = self._build.add(
            "AvatarForgeApplyReference",
            title,
            model=self._model,
            reference=reference,
            strength=strength,
            start_percent=START,
            end_percent=END,
        ).out()

    def _apply_ipadapter(self, use: ReferenceUse, image: Link) -> None:
        """Use ComfyUI_IPAdapter_plus, whose unified loader finds the files of the preset."""
        loader = self._build.add("IPAdapterUnifiedLoader", "IPAdapter", model=self._model, preset=use.preset)
        self._model = self._build.add(
            "IPAdapterAdvanced",
            "Apply reference",
            model=loader.out(0),
            ipadapter=loader.out(1),
            image=image,
            weight=use.strength,
            weight_type="linear",
            combine_embeds="concat",
            start_at=START,
            end_at=END,
            embeds_scaling="V only",
        ).out()

    def _record(self, role: str, kind: str, strength: float, use: ReferenceUse | None = None) -> None:
        """Record the newest model patch for the receipt: it applies to everything sampled from now on."""
        self._attended.append(Attended(role, kind, str(self._model[0]), use, strength))

    def _add_line(
        self,
        role: str,
        view: str | None,
        kind: str,
        use: PoseUse | ReferenceUse | None,
        node: str,
        model: str | None,
        strength: float,
    ) -> None:
        self.inputs.append(
            applied_input(
                role,
                view,
                kind,
                use,
                node=node,
                node_type=self._build.prompt[node]["class_type"],
                model=model or self._spec.checkpoint,
                strength=strength,
                steps=self._spec.steps,
            )
        )
