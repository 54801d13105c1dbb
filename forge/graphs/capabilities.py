"""What works with the installed models, and which files are missing.

`GET /capabilities`, `/health`, every refusal and every choice of a model use this table. The methods for
poses and references are in `pose_methods` and `reference_methods`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..error_codes import ErrorCode
from ..families import FAMILIES, MODEL_FAMILIES
from ..families.catalogue import SDPOSE as SDPOSE_FILE
from ..families.family import Family, Sampling
from ..ports import InstalledModels, ModelFile, SkippedFile
from ..settings import Settings
from ..spec.avatar import NO_FOLDER
from .method import Method, best, describe_skipped, lacking, list_some
from .missing_files import MissingFile, describe_missing, missing_files
from .parts import find_parts
from .pose_methods import missing_pose, pose_methods
from .reference_methods import ReferenceSupport, reference_methods, reference_support

DWPOSE, SDPOSE = "dwpose", "sdpose"
#: Of the families of model files.
FAMILY_LABELS = ", ".join(family.label for family in MODEL_FAMILIES.values())

#: What a request can do without any model, phrased to follow a comma.
WITHOUT_MODEL = " or ".join(
    f'send "family": "{family.name}", which draws its pictures'
    for family in FAMILIES.values()
    if family.drawn
)

_SDPOSE = re.compile(r"sd.?pose", re.IGNORECASE)
SKIPPED_AT_MOST = 100  # files in a response
LORAS_AT_MOST = 1000  # in a response


@dataclass(frozen=True)
class ModelCapabilities:
    """What works with one model file, or with a `drawn` family, which has none.

    `family` is None unless it is of a supported family. `family_is_guess`: only its name says so. `problem`:
    why the file cannot be used, phrased to follow "it"; None if it can. `missing` are text encoders and VAE
    that it needs. `told_by` and `variant_told_by` say what decided. `settings` are the request fields that
    only some families have and this one has, `lacks` those that most have and this one does not have. What
    a family does not have is None in `defaults`. `references` are how many reference pictures each method
    takes, and in which roles.
    """

    name: str
    family: str | None
    family_label: str | None
    supported: bool
    pose: tuple[Method, ...]
    reference: tuple[Method, ...]
    family_is_guess: bool = False
    problem: str | None = None
    folder: str = "checkpoints"
    variant: str | None = None
    variant_label: str | None = None
    distillation: str | None = None
    precision: str | None = None
    told_by: str = "header"
    variant_told_by: str = "name"
    settings: tuple[str, ...] = ()
    turnarounds: tuple[str, ...] = ()
    defaults: Sampling | None = None
    missing: tuple[MissingFile, ...] = ()
    lacks: tuple[str, ...] = ()
    drawn: bool = False
    references: tuple[ReferenceSupport, ...] = ()


@dataclass(frozen=True)
class FamilyCapabilities:
    """A supported family, and how many usable models of it are installed. A `drawn` one counts as one."""

    name: str
    label: str
    variants: tuple[str, ...]
    installed: int
    drawn: bool = False


@dataclass(frozen=True)
class LoraCapabilities:
    """An installed LoRA. `family` is None if it is of no supported family."""

    name: str
    family: str | None
    problem: str | None


@dataclass(frozen=True)
class Reason:
    """Why something is impossible: a sentence, with code and parameters of the error that refuses it."""

    detail: str
    code: ErrorCode
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Capabilities:
    """`reasons` are sentences on what is impossible with these models, empty when nothing is missing;
    `reason_details` are the same with their codes.
    `checkpoints` are the models in that folder, `models` those of all folders and, last, the drawn families,
    which count as no model in `reasons`. `samplers` and `schedulers`
    are those of this ComfyUI. `skipped_files` are the first SKIPPED_AT_MOST of `skipped_total` unusable
    files."""

    checkpoints: tuple[ModelCapabilities, ...]
    pose_extractors: tuple[Method, ...]
    reasons: tuple[str, ...]
    samplers: tuple[str, ...]
    schedulers: tuple[str, ...]
    skipped_files: tuple[SkippedFile, ...] = ()
    skipped_total: int = 0
    models: tuple[ModelCapabilities, ...] = ()
    families: tuple[FamilyCapabilities, ...] = ()
    loras: tuple[LoraCapabilities, ...] = ()
    default_family: str | None = None
    reason_details: tuple[Reason, ...] = ()


def capabilities_of(installed: InstalledModels, settings: Settings) -> Capabilities:
    models = tuple(_model_capabilities(installed, settings, model) for model in installed.models)
    drawn = tuple(
        _drawn_capabilities(installed, settings, family) for family in FAMILIES.values() if family.drawn
    )
    extractors = pose_extractors(installed)
    usable = [model for model in models if is_usable(model)]
    reasons = {reason.detail: reason for reason in _reasons(installed, settings, models, extractors)}
    return Capabilities(
        checkpoints=tuple(model for model in models if model.folder == "checkpoints"),
        pose_extractors=extractors,
        reasons=tuple(reasons),
        reason_details=tuple(reasons.values()),
        samplers=installed.samplers,
        schedulers=installed.schedulers,
        skipped_files=installed.skipped[:SKIPPED_AT_MOST],
        skipped_total=len(installed.skipped),
        models=(*models, *drawn),
        families=tuple(
            FamilyCapabilities(
                family.name,
                family.label,
                tuple(variant.name for variant in family.variants),
                sum(1 for model in (*usable, *drawn) if model.family == family.name),
                family.drawn,
            )
            for family in FAMILIES.values()
        ),
        default_family=settings.default_family or None,
        loras=tuple(
            LoraCapabilities(lora.name, lora.family, lora.problem) for lora in installed.loras[:LORAS_AT_MOST]
        ),
    )


def _reasons(
    installed: InstalledModels,
    settings: Settings,
    models: Sequence[ModelCapabilities],
    extractors: Sequence[Method],
) -> Iterator[Reason]:
    usable = [model for model in models if is_usable(model)]
    if not usable:
        yield Reason(
            missing_model(installed), code="checkpoint_missing", parameters={"families": FAMILY_LABELS}
        )
    for family in _variants_of(usable):
        methods = pose_methods(installed, settings, family)
        if methods and not best(methods):
            yield Reason(
                missing_pose(methods, family),
                code="pose_controlnet_missing",
                parameters={"family": family.label},
            )
    for model in models:
        if model.missing:
            files = describe_missing(model.missing)
            yield Reason(
                f"{model.name} ({model.family_label}) also needs {files}.",
                code="model_parts_missing",
                parameters={"model": model.name, "missing": files},
            )
    if not best(extractors):
        yield Reason(missing_extractor(extractors), code="pose_extractor_missing", parameters={})


def family_of(model: ModelFile) -> Family | None:
    """The family of a model, with the changes of its variant."""
    return FAMILIES[model.family].variant(model.variant) if model.family else None


def is_usable(model: ModelCapabilities) -> bool:
    return model.supported and not model.problem and not model.missing


def pose_extractors(installed: InstalledModels) -> tuple[Method, ...]:
    """Ways to turn a photo into a skeleton."""
    if "DWPreprocessor" in installed.nodes:
        dwpose = Method(DWPOSE, True, None, None)  # downloads its models itself
    else:
        dwpose = lacking(
            DWPOSE, "the node pack comfyui_controlnet_aux (its node DWPreprocessor) in custom_nodes"
        )
    if "SDPoseKeypointExtractor" not in installed.nodes:
        sdpose = lacking(SDPOSE, "a ComfyUI that has the node SDPoseKeypointExtractor: update ComfyUI")
    elif not installed.sdpose:
        skipped = describe_skipped(installed, "checkpoints", _SDPOSE)
        place = f"{SDPOSE_FILE.name} in models/{SDPOSE_FILE.folder} from {SDPOSE_FILE.page}"
        sdpose = lacking(SDPOSE, f"the SDPose checkpoint {place}{skipped}")
    else:
        sdpose = Method(SDPOSE, True, installed.sdpose[0], None)
    return (dwpose, sdpose)


def missing_model(installed: InstalledModels) -> str:
    unusable = [f"{model.name!r}, which {model.problem}" for model in installed.models if model.problem]
    return (
        f"No model of a known family ({FAMILY_LABELS}) is installed: put a checkpoint (a .safetensors file) "
        "into models/checkpoints, or a model with its text encoder and VAE into models/diffusion_models, "
        f"models/text_encoders and models/vae{list_some('. Installed, but of no use: ', unusable)}. To try "
        f"AvatarForge without a model, {WITHOUT_MODEL}."
    )


def missing_extractor(extractors: Sequence[Method]) -> str:
    ways = ", or ".join(str(method.missing) for method in extractors)
    return f"No pose extractor is installed, so the pose of a photo cannot be read. It needs {ways}."


def _model_capabilities(
    installed: InstalledModels, settings: Settings, model: ModelFile
) -> ModelCapabilities:
    family = family_of(model)
    if family is None:
        return ModelCapabilities(
            model.name, None, None, False, (), (), model.guessed, model.problem, model.folder
        )
    variant = model.variant or family.variants[0].name
    return ModelCapabilities(
        name=model.name,
        family=family.name,
        family_label=family.label,
        supported=True,
        pose=pose_methods(installed, settings, family),
        reference=reference_methods(installed, family),
        family_is_guess=model.guessed,
        problem=model.problem,
        folder=model.folder,
        variant=variant,
        variant_label=next((each.label for each in family.variants if each.name == variant), variant),
        distillation=model.distillation if model.distillation in family.distilled else None,
        precision=model.precision,
        told_by=model.told_by,
        variant_told_by=model.variant_told_by,
        settings=tuple(sorted(family.settings)),
        turnarounds=_turnarounds(family),
        defaults=family.sampling_of(model.distillation),
        missing=missing_files(find_parts(installed, model, family)[1]),
        references=reference_support(installed, family),
    )


def _drawn_capabilities(installed: InstalledModels, settings: Settings, family: Family) -> ModelCapabilities:
    return ModelCapabilities(
        name=family.model or family.label,
        family=family.name,
        family_label=family.label,
        supported=True,
        pose=pose_methods(installed, settings, family),
        reference=reference_methods(installed, family),
        folder=NO_FOLDER,
        variant=family.variants[0].name,
        variant_label=family.variants[0].label,
        told_by="name",
        settings=tuple(sorted(family.settings)),
        turnarounds=_turnarounds(family),
        defaults=family.sampling,
        lacks=tuple(sorted(family.lacks)),
        drawn=True,
        references=reference_support(installed, family),
    )


def _turnarounds(family: Family) -> tuple[str, ...]:
    return ("batch", "sequential") if family.batch else ("sequential",)


def _variants_of(models: Iterable[ModelCapabilities]) -> list[Family]:
    """The families of these models, once each, in the order of FAMILIES."""
    found = {model.family: model.variant for model in models}
    return [family.variant(found[name]) for name, family in FAMILIES.items() if name in found]
