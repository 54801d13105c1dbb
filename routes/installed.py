"""The endpoints for the installed model files, and for what the user says about them."""

from __future__ import annotations

from ..forge.errors import NotFoundError, UnprocessableError
from ..forge.families import DISTILLATIONS, MODEL_FAMILIES
from ..forge.families.family import Family
from ..forge.model_names import find_model
from ..forge.model_overrides import NOT_DISTILLED, ModelOverride, Overrides
from ..forge.ports import InstalledModels, ModelFile
from . import queries, requests, responses
from .context import Call, Endpoint


async def models(call: Call) -> responses.ModelsAnswer:
    installed = await call.services.host.installed_models()
    overrides = await _overrides(call)
    wanted = call.validated_query(queries.ModelsQuery).folder
    return responses.ModelsAnswer(
        models=[_render(model, overrides) for model in _files(installed) if wanted in (None, model.folder)],
        parts=[
            responses.InstalledPart.model_validate(part, from_attributes=True)
            for part in installed.text_encoders + installed.vaes
            if wanted in (None, part.folder)
        ],
        families=[_choice(family) for family in MODEL_FAMILIES.values()],
        distillations=[*DISTILLATIONS, NOT_DISTILLED],
    )


def _choice(family: Family) -> responses.FamilyChoice:
    variants = [
        responses.VariantChoice(name=variant.name, label=variant.label) for variant in family.variants
    ]
    return responses.FamilyChoice(name=family.name, label=family.label, variants=variants)


async def update_override(call: Call) -> responses.InstalledModel:
    body = call.validated_body(requests.ModelOverrideBody)
    override = ModelOverride(body.family, body.variant, body.distillation, body.prediction)
    return await _store(call, body.folder, body.name, override)


async def delete_override(call: Call) -> responses.InstalledModel:
    query = call.validated_query(queries.ModelFileQuery)
    return await _store(call, query.folder, query.name, ModelOverride())


async def _store(call: Call, folder: str, name: str, override: ModelOverride) -> responses.InstalledModel:
    services = call.services
    model = _find(await services.host.installed_models(), folder, name)
    # The family that header and name give is unknown while it is overridden.
    fault = override.fault_for(None if model.told_by == "override" else model.family)
    if fault is not None:
        field, message = fault
        raise UnprocessableError(message, ("body", field))
    await services.workers.disk(lambda: services.overrides.update(folder, model.name, override))
    return await _rendered(call, _find(await services.host.installed_models(), folder, model.name))


def _find(installed: InstalledModels, folder: str, name: str) -> ModelFile:
    model = find_model([model for model in _files(installed) if model.folder == folder], name)
    if model is None:
        raise NotFoundError(f"There is no file {name!r} in the folder {folder}.")
    return model


def _files(installed: InstalledModels) -> tuple[ModelFile, ...]:
    return installed.models + installed.controlnets + installed.model_patches + installed.loras


async def _overrides(call: Call) -> Overrides:
    return await call.services.workers.disk(call.services.overrides.load)


async def _rendered(call: Call, model: ModelFile) -> responses.InstalledModel:
    return _render(model, await _overrides(call))


def _render(model: ModelFile, overrides: Overrides) -> responses.InstalledModel:
    override = overrides.get((model.folder, model.name.replace("\\", "/")))
    family = MODEL_FAMILIES.get(model.family or "")
    return responses.InstalledModel(
        **{name: getattr(model, name) for name in responses.MODEL_FIELDS},
        family_label=family.label if family else None,
        override=None
        if override is None
        else responses.StoredOverride.model_validate(override, from_attributes=True),
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        "/models",
        models,
        "All installed model files, and what each is",
        "utility",
        answer=responses.ModelsAnswer,
        query=queries.ModelsQuery,
    ),
    Endpoint(
        "PUT",
        "/models/override",
        update_override,
        "Say what a model file is, where its header and name do not tell",
        "utility",
        answer=responses.InstalledModel,
        body=requests.ModelOverrideBody,
        refusals=(404, 408, 411, 413, 415, 422, 503),
    ),
    Endpoint(
        "DELETE",
        "/models/override",
        delete_override,
        "Leave it to header and name again what a model file is",
        "utility",
        answer=responses.InstalledModel,
        query=queries.ModelFileQuery,
        refusals=(404, 503),
    ),
)
