"""The kinds of request that every model family is compiled for, and graphs as text that people can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from installed_models import everything, file_record

from avatarforge.db.records import FileRecord
from avatarforge.forge.families import FAMILIES
from avatarforge.forge.families.family import Family
from avatarforge.forge.generations.references import GivenReference
from avatarforge.forge.generations.resolve import GivenPose, resolve_request
from avatarforge.forge.graphs.compile import CompiledPrompt, compile_prompt, compile_reroll
from avatarforge.forge.ports import InstalledModels, ModelFile, Prompt
from avatarforge.forge.settings import Settings
from avatarforge.forge.spec.avatar import AvatarSpec
from avatarforge.forge.spec.receipt import AppliedInput
from avatarforge.forge.spec.redraw import RedrawnExpression, RedrawUse
from avatarforge.forge.spec.reference import REFERENCE_STRENGTH, ReferenceRole
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.spec.views import SHEET_VIEWS

GENERATION = "11111111-1111-4111-8111-111111111111"
POSE = GivenPose(file_record("pose"), "skeleton", {})
JSON = GivenPose(file_record("pose.json"), "json", {})
PHOTO = GivenPose(file_record("photo"), "photo", {})
KEPT = GivenPose(file_record("photo"), "photo", {"standard": file_record("kept").id})
REFERENCE = file_record("reference")
REFERENCES: dict[ReferenceRole, FileRecord] = {
    "identity": REFERENCE,
    "face": file_record("face"),
    "outfit": file_record("outfit"),
    "style": file_record("style"),
}
WORDS: dict[str, Any] = {
    "clothing": "plate armor",
    "style": "watercolor",
    "negative_prompt": "hat",
    "seed": 1,
}


def whole(record: FileRecord | None, strength: float | None = None) -> tuple[GivenReference, ...]:
    """One reference of the whole person, as the short form gives it."""
    return (
        ()
        if record is None
        else (GivenReference(record, strength=REFERENCE_STRENGTH if strength is None else strength),)
    )


def by_role(*roles: ReferenceRole) -> tuple[GivenReference, ...]:
    """A list of references, one of each role."""
    return tuple(
        GivenReference(REFERENCES[role], role, field=("references", number))
        for number, role in enumerate(roles)
    )


@dataclass(frozen=True)
class FamilyRequest:
    """A request for a family and variant. `reroll` is the position of a view that is generated again."""

    name: str
    family: str
    variant: str | None
    spec: AvatarSpec
    reroll: int | None = None

    def compile(self) -> CompiledPrompt:
        if self.reroll is not None:
            return compile_reroll(self.spec, GENERATION, self.reroll)
        return compile_prompt(self.spec, GENERATION)


class _Requests:
    """Makes requests for one variant of a family."""

    def __init__(self, family: str, variant: str) -> None:
        self._family, self._variant = family, variant
        self._installed = _with_variant(family, variant)

    def make(
        self,
        name: str,
        views: tuple[str, ...] | None = None,
        *,
        pose: GivenPose | None = None,
        references: tuple[GivenReference, ...] = (),
        reroll: int | None = None,
        **fields: Any,
    ) -> FamilyRequest:
        resolved = resolve_request(
            AvatarRequest("a knight", family=self._family, **WORDS, **fields),
            views,
            pose,
            references,
            self._installed,
            Settings(),
        )
        return FamilyRequest(name, self._family, self._variant, resolved.spec, reroll)

    def redraw(self, name: str, row: Family, references: tuple[GivenReference, ...]) -> FamilyRequest:
        """The front view with two expressions. What has no pose is read by an extractor."""
        made = self.make(name, ("front",), references=references)
        reads = {} if row.pose else {"extractor": "sdpose", "extractor_model": "sdpose.safetensors"}
        return replace(made, spec=redrawn(made.spec, "happy", "smug", **reads))


def redrawn(spec: AvatarSpec, *names: str, **changes: Any) -> AvatarSpec:
    """The spec of a redraw of its first picture with these expressions; `changes` are for the redraw."""
    words = {"smug": "a smug grin"}
    use = RedrawUse(
        file_id=file_record("source").id,
        content_hash=file_record("source").content_hash,
        width=spec.width,
        height=spec.height,
        generation_id=GENERATION,
        position=1,
        views=spec.views,
        expressions=tuple(RedrawnExpression(name, words.get(name, "")) for name in names),
        identity_seed=spec.seed,
    )
    views = (spec.views[0],) * len(names)
    return replace(spec, views=views, expression=None, redraw=replace(use, **changes), reseeded={})


def family_requests() -> Iterator[FamilyRequest]:
    """Every request that the variant can do: text, each way to apply a pose and a reference, both,
    every view, turnaround, re-roll and LoRA."""
    for family in FAMILIES.values():
        for variant in family.variants:
            row = family.variant(variant.name)
            requests = _Requests(family.name, variant.name)
            # A drawn family needs the skeletons.
            yield requests.make("text", pose_strength=None if row.drawn else 0.0)
            is_first = variant is family.variants[0]
            if is_first or {"pose", "references", "anchor"} & variant.changes.keys():
                yield from _all_inputs(requests, row)


def _all_inputs(requests: _Requests, row: Family) -> Iterator[FamilyRequest]:
    if row.pose:
        yield requests.make("pose", pose=POSE)
    one = whole(REFERENCE) if row.references else ()
    for method, limits in row.references.items():
        if method == "ipadapter":  # of another pack, which the recorded host does not have
            continue
        yield requests.make(f"reference by {method}", references=one, reference_method=method)
        roles = (
            by_role(*limits.roles) if len(limits.roles) > 1 else (*one, GivenReference(file_record("other")))
        )
        yield requests.make(
            f"references by {method}", references=roles[: limits.most], reference_method=method
        )
    if row.pose and one:
        yield requests.make("pose and reference", pose=POSE, references=one)
    for view in SHEET_VIEWS:
        yield requests.make(f"{view} view", (view,))
    for turnaround in ("batch", "sequential") if row.batch else ("sequential",):
        yield requests.make(f"all views, {turnaround}", SHEET_VIEWS, turnaround=turnaround, references=one)
    yield requests.make("re-roll of the back", SHEET_VIEWS, reroll=SHEET_VIEWS.index("back"))
    yield requests.redraw("expressions", row, references=one)
    if row.name in ("sd15", "doll"):  # what a picture is made with makes no difference
        yield requests.make("three pictures", ("side",), count=3, references=one)
        yield requests.make("two sheets", ("front", "back"), count=2, pixel_height=96)
        yield requests.make(
            "two sheets, one after another", ("front", "back"), count=2, turnaround="sequential"
        )
        yield requests.make("two sheets, re-roll of the last", ("front", "back"), count=2, reroll=3)
        yield requests.make("large pixels", SHEET_VIEWS, pixel_height=96)
        yield requests.make("large pixels, re-roll of the side", SHEET_VIEWS, pixel_height=96, reroll=2)
    if row.drawn:
        yield from _every_pose(requests)
        return
    yield requests.make("LoRA", loras=[{"name": f"{row.name}-lora.safetensors", "strength": 0.5}])


def _every_pose(requests: _Requests) -> Iterator[FamilyRequest]:
    for name, pose in (("pose in JSON", JSON), ("photo", PHOTO), ("photo read before", KEPT)):
        yield requests.make(name, pose=pose)
    for turnaround in ("batch", "sequential"):
        yield requests.make(
            f"all views with a pose, {turnaround}", SHEET_VIEWS, pose=JSON, turnaround=turnaround
        )
    yield requests.make("all views of a photo", SHEET_VIEWS, pose=PHOTO)
    yield requests.make("re-roll of one view", ("side",), reroll=0)


def _with_variant(family: str, variant: str) -> InstalledModels:
    installed = everything()

    def of_variant(models: tuple[ModelFile, ...]) -> tuple[ModelFile, ...]:
        return tuple(replace(model, variant=variant) if model.family == family else model for model in models)

    return replace(
        installed,
        checkpoints=of_variant(installed.checkpoints),
        diffusion_models=of_variant(installed.diffusion_models),
        # The extractor of ComfyUI itself, which the recorded host has.
        nodes=installed.nodes - {"DWPreprocessor"},
        sdpose=("sdpose.safetensors",),
    )


def render_graph(prompt: Prompt) -> str:
    """A prompt as text: one node per line, with its inputs; `<3.0` is output 0 of node 3."""
    lines = []
    for node_id, node in prompt.items():
        inputs = ", ".join(f"{name}={_render(value)}" for name, value in node["inputs"].items())
        lines.append(f"{node_id:>3} {node['class_type']}({inputs})")
    return "\n".join(lines)


def _render(value: Any) -> str:
    return f"<{value[0]}.{value[1]}" if isinstance(value, list) else repr(value)


def _named(line: AppliedInput) -> str:
    part = line.reference_role not in (None, "identity")
    return f"{line.role} as {line.reference_role}" if part else line.role


def _shown(line: AppliedInput) -> str:
    number = "" if line.picture is None else f", picture {line.picture}"
    return f"{line.view or 'any'}{number}"


def render_family(family: str) -> str:
    """All graphs of a family, with their receipts."""
    parts = []
    for request in family_requests():
        if request.family != family:
            continue
        compiled = request.compile()
        receipt = "\n".join(
            f"    {_named(line)} ({_shown(line)}): {line.kind} by {line.node} {line.node_type}, "
            f"{line.model}, {line.strength:g}"
            for line in compiled.inputs
        )
        parts.append(
            f"# {request.variant}: {request.name}\n{render_graph(compiled.prompt)}\n{receipt}".rstrip() + "\n"
        )
    return "\n".join(parts)
