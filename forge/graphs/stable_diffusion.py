"""The graph of Stable Diffusion 1.5 and XL: a checkpoint, pose ControlNet, reference, KSampler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..ports import Prompt
from ..spec.avatar import AvatarSpec, ReferenceUse
from ..spec.pose import PoseUse
from ..spec.receipt import AppliedInput
from ..spec.views import ALL_FOUR, ANY_VIEW, VIEW_NAMES
from ..spec.warning import GenerationWarning, make_warning
from .builder import Link, PromptBuilder
from .poses import add_pose_image

START, END = 0.0, 1.0  # of the sampling: every input works from the first step to the last
FRONT_AND_BACK = ("front", "back")


@dataclass(frozen=True)
class _Looking:
    """What the model looks at while it samples, and the node that makes it look."""

    role: str
    kind: str
    node: str
    use: ReferenceUse | None
    strength: float


class StableDiffusionGraph:
    """Adds to one prompt, step by step; remembers what was applied and what a user should know."""

    def __init__(self, spec: AvatarSpec) -> None:
        self._spec = spec
        self._build = PromptBuilder()
        self.inputs: list[AppliedInput] = []
        self.warnings: list[GenerationWarning] = []
        self._excused: set[str] = set()
        loader = self._build.add("CheckpointLoaderSimple", "Checkpoint", ckpt_name=spec.checkpoint)
        self._model, self._clip, self._vae = loader.out(0), loader.out(1), loader.out(2)
        self._looking: list[_Looking] = []
        self._controlnet: Link | None = None

    @property
    def prompt(self) -> Prompt:
        return self._build.prompt

    def excused(self, role: str) -> bool:
        """Whether the role's picture has no place in this prompt, such as a front pose in a re-roll
        of the side."""
        return role in self._excused

    def refer(self) -> None:
        """Let every view look at the given reference."""
        use = self._spec.reference
        if use is None or use.strength == 0:
            return
        picture = self._build.add("AvatarForgeLoadReference", "Reference", file_id=use.file_id)
        if use.method == "ipadapter":
            self._adapt(use, picture.out())
        else:
            self._look("Apply reference", self._encode("Reference", picture.out()), use.strength)
        self._remember("reference", "picture", use.strength, use)

    def look_at(self, samples: Link, weight: float) -> None:
        """Let the views that follow look at one that was sampled."""
        if weight > 0:
            self._look("Look at the front", samples, weight)
            self._remember("anchor", "latent", weight)

    def look_at_saved(self, generation_id: str, position: int, weight: float) -> None:
        """Let the view look at one that was saved."""
        if weight > 0:
            picture = self._build.add(
                "AvatarForgeLoadView", "Saved front", generation_id=generation_id, position=position + 1
            )
            self._look("Look at the front", self._encode("Saved front", picture.out()), weight)
            self._remember("anchor", "picture", weight)

    def share_views(self) -> None:
        """Let the rows of a batch look at its first."""
        weight = self._spec.consistency
        if weight > 0:
            self._model = self._build.add(
                "AvatarForgeShareViews", "Share views", model=self._model, consistency=weight
            ).out()
            self._remember("anchor", "latent", weight)

    def sample(self, views: Sequence[str | None], size: tuple[int, int], seed: int) -> Link:
        """One sampler run for these views, as rows of a batch; a link to its latent."""
        spec = self._spec
        batch = len(views) > 1
        label = "" if batch else f" ({views[0]})" if views[0] else ""
        words = self._build.add(
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
        positive, negative = self._pose(views, size, label, words.out(0), words.out(1))
        for look in self._looking:
            model = look.use.model if look.use else None
            for view in views[1:] if batch and look.role == "anchor" else views:
                self._line(look.role, view, look.kind, look.use, look.node, model, look.strength)
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

    def take(self, samples: Link, row: int, width: int) -> Link:
        """One row of a batch, cut to `width` pixels about its middle."""
        cut = 0 if width == self._spec.width else width
        return self._build.add(
            "AvatarForgeTakeView", f"View {row + 1}", samples=samples, view=row, width=cut
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
        """ComfyUI forgets what the next prompt does not name, so a request without a pose would have the
        ControlNet read again for the next one with it. A node that leads nowhere is never run, but keeps
        what the same node gave before."""
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
        given = spec.pose if spec.pose and spec.pose.strength > 0 else None
        own = self._own_views(given, views)
        built_in = any(view not in own for view in views)
        strength = given.strength if given and own else spec.skeleton_strength
        if strength == 0:
            return positive, negative
        if given and own and not built_in and len(views) == 1:
            image = self._own_image(given, size, views[0])
        else:
            extra = {view: self._own_image(given, size, view) for view in own if given and view}
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
            use = given if view in own else None
            kind = given.plan.kind if given and use else "built-in skeleton"
            self._line("pose" if use else "view", view, kind, use, applied.id, spec.controlnet, strength)
        return applied.out(0), applied.out(1)

    def _own_views(self, given: PoseUse | None, views: Sequence[str | None]) -> tuple[str | None, ...]:
        """The views that the given pose decides: the only one asked for; of a whole sheet the front,
        and the back too where the pose has keypoints that can be seen from behind."""
        if given is None:
            return ()
        if self._spec.views != VIEW_NAMES:
            return tuple(views)
        wanted = FRONT_AND_BACK if given.plan.treatment == "json" else FRONT_AND_BACK[:1]
        own = tuple(view for view in views if view in wanted)
        if not own:
            self._excused.add("pose")
        elif "front" in own:
            detail = (
                f"The pose shows one view: it was applied to {' and '.join(wanted)}; the others follow the "
                "built-in skeletons."
            )
            self.warnings.append(make_warning("pose_on_some_views", detail, views=wanted))
        return own

    def _own_image(self, given: PoseUse, size: tuple[int, int], view: str | None) -> Link:
        # Of a whole sheet, the pose is that of the front: the back sees it from the other side.
        behind = view == "back" and self._spec.views == VIEW_NAMES
        return add_pose_image(
            self._build, given.plan, given.file, size[0], size[1], self._spec.bones, from_behind=behind
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

    def _look(self, title: str, reference: Link, strength: float) -> None:
        self._model = self._build.add(
            "AvatarForgeApplyReference",
            title,
            model=self._model,
            reference=reference,
            strength=strength,
            start_percent=START,
            end_percent=END,
        ).out()

    def _adapt(self, use: ReferenceUse, image: Link) -> None:
        """ComfyUI_IPAdapter_plus: its unified loader finds the files that the preset names."""
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

    def _remember(self, role: str, kind: str, strength: float, use: ReferenceUse | None = None) -> None:
        """The newest model patch applies to whatever is sampled from now on."""
        self._looking.append(_Looking(role, kind, str(self._model[0]), use, strength))

    def _line(
        self,
        role: str,
        view: str | None,
        kind: str,
        use: PoseUse | ReferenceUse | None,
        node: str,
        model: str | None,
        strength: float,
    ) -> None:
        file = use.file if isinstance(use, PoseUse) else use
        self.inputs.append(
            AppliedInput(
                role=role,
                view=view,
                kind=kind,
                file_id=file.file_id if file else None,
                content_hash=file.content_hash if file else None,
                node=node,
                node_type=self._build.prompt[node]["class_type"],
                model=model or self._spec.checkpoint,
                strength=strength,
                first_step=1,
                last_step=self._spec.steps,
            )
        )
