"""The order in which the generations of a batch run, and which of them have graphs of the same shape.

ComfyUI keeps what the last prompts have loaded and computed: models, encoded words, and every node whose
inputs have not changed. So generations that share them run one after another.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from ..spec.avatar import AvatarSpec
from ..spec.settings import SETTINGS

#: What does not change the shape of a graph, only the values in it.
_ANY_SHAPE = frozenset(
    {"prompt", "clothing", "style", "expression", "elevation", "negative_prompt", "realism", "seed"}
    | {"width", "height", "steps", "cfg", "guidance", "shift", "checkpoint"}
)


def run_order(specs: Sequence[AvatarSpec]) -> list[int]:
    """The positions of the specs in the order in which they run.

    They are grouped by model, within that by LoRAs, then by words, by reference pictures, and by the settings
    and the seed, which decide the front. Groups come in the order of their first member, and members keep the
    order of the request, so the order is the same each time.
    """
    firsts: dict[tuple[Hashable, ...], int] = {}
    ranks = []
    for position, spec in enumerate(specs):
        levels = _levels(spec)
        prefixes = [levels[: depth + 1] for depth in range(len(levels))]
        ranks.append(tuple(firsts.setdefault(prefix, position) for prefix in prefixes))
    return sorted(range(len(specs)), key=lambda position: (ranks[position], position))


def graph_shape(spec: AvatarSpec, kind: str) -> Hashable:
    """Equal for specs whose graphs differ only in values that ComfyUI accepts alike: texts, sizes in their
    range, seeds, files."""
    pose = spec.pose
    plan = pose.plan if pose else None
    settings = [
        (name, value if isinstance(value, str) or value is None else bool(value))
        for name, value in ((name, getattr(spec, name)) for name in SETTINGS if name not in _ANY_SHAPE)
    ]
    return (
        kind,
        _model(spec),
        tuple(lora.name for lora in spec.loras),
        spec.bones,
        spec.skeleton_strength > 0,
        len(spec.views),
        spec.views[0] is None,
        spec.count > 1,
        spec.turnaround,
        tuple((use.method, use.model, use.clip_vision, use.strength > 0) for use in spec.references),
        (pose.mode, plan.kind, plan.treatment, plan.extractor, plan.model, pose.strength > 0)
        if pose and plan
        else None,
        tuple(settings),
        (spec.judge.estimator, spec.judge.embedding) if spec.judge else None,
    )


def _model(spec: AvatarSpec) -> Hashable:
    template = (spec.template.id, spec.template.version) if spec.template else None
    return (
        template,
        spec.family,
        spec.variant,
        spec.prediction,
        spec.model_folder,
        spec.checkpoint,
        spec.text_encoders,
        spec.vae,
        spec.pose_method,
        spec.controlnet,
        spec.controlnet_is_union,
    )


def _levels(spec: AvatarSpec) -> tuple[Hashable, ...]:
    words = (*spec.texts, spec.expression, spec.elevation, spec.realism)
    settings = tuple(getattr(spec, name) for name in SETTINGS)
    # The parts of a spec can hold unknown fields of a later release, so they cannot be keys themselves.
    loras = tuple((use.name, use.strength, use.clip_strength) for use in spec.loras)
    references = tuple(
        (use.file_id, use.role, use.strength, use.method, use.model) for use in spec.references
    )
    return (_model(spec), loras, words, references, settings)
