"""The endpoints of templates: save, replace, inspect, list, get, delete, export and import."""

from __future__ import annotations

import json
from typing import Any

from ..forge.settings import Settings
from ..forge.templates.check import Graph, Inspection
from ..forge.templates.file import file_of_graph, template_file
from ..forge.templates.saved import SavedTemplate
from ..forge.templates.slots import Slots
from . import responses, template_requests
from .context import BodyLimits, Call, Endpoint
from .if_match import expected_version
from .rendering import iso_time

HEADERS = {"If-Match": "The version that the template must have, such as 3. Otherwise: 412."}


def _size(settings: Settings) -> int:
    return settings.max_template_size


#: A workflow nests its subgraphs, and its widgets hold their values.
LIMITS = BodyLimits(_size, depth=64, values=200_000)
SAVING = (403, 408, 409, 411, 413, 415)


async def save(call: Call) -> responses.TemplateAnswer:
    body = call.validated_body(template_requests.TemplateBody)
    return _render(await call.services.templates.save(body.name, _graph(body)))


async def import_file(call: Call) -> responses.TemplateAnswer:
    body = call.validated_body(template_requests.TemplateFileBody)
    return _render(await call.services.templates.save(body.name, _graph(body)))


async def replace(call: Call) -> responses.TemplateAnswer:
    body = call.validated_body(template_requests.TemplateVersionBody)
    saved = await call.services.templates.replace(
        call.path("template_id"), _graph(body), name=body.name, expected=expected_version(call, "template")
    )
    return _render(saved)


async def inspect(call: Call) -> responses.InspectionAnswer:
    body = call.validated_body(template_requests.TemplateVersionBody)
    return _render_inspection(await call.services.templates.inspect(_graph(body)))


async def get(call: Call) -> responses.TemplateAnswer:
    return _render(await call.services.templates.get(call.path("template_id")))


async def list_page(call: Call) -> responses.TemplatesAnswer:
    query = call.validated_query(template_requests.TemplatesQuery)
    page = await call.services.templates.page(limit=query.limit, cursor=query.cursor, text=query.q)
    return responses.TemplatesAnswer(
        total=page.total,
        templates=[responses.TemplateSummary(**_summary(saved)) for saved in page.templates],
        limit=query.limit,
        next_cursor=page.next_cursor,
    )


async def delete(call: Call) -> responses.TemplateDeletedAnswer:
    template_id = await call.services.templates.delete(call.path("template_id"))
    return responses.TemplateDeletedAnswer(
        template_id=template_id,
        deleted=True,
        message="Template deleted; generations that used it keep their version",
    )


async def export(call: Call) -> responses.TemplateFile:
    saved = await call.services.templates.get(call.path("template_id"))
    return responses.TemplateFile(**template_file(saved))


async def builtin(call: Call) -> responses.TemplateFile:
    family = call.path("family")
    prompt = await call.services.generations.example_prompt(family)
    return responses.TemplateFile(**file_of_graph(family, prompt))


def _graph(body: template_requests.GraphBody) -> Graph:
    slots = body.model_dump()["slots"]
    return Graph(body.prompt, body.workflow, slots)


def _render(saved: SavedTemplate) -> responses.TemplateAnswer:
    content = saved.content
    prompt = json.loads(content.prompt_json) if content else {}
    workflow = json.loads(content.workflow_json) if content and content.workflow_json else None
    return responses.TemplateAnswer(**_summary(saved), prompt=prompt, workflow=workflow)


def _summary(saved: SavedTemplate) -> dict[str, Any]:
    record = saved.record
    return {
        "template_id": record.id,
        "name": record.name,
        "version": record.version,
        "slots": _places(saved.slots),
        "created_at": iso_time(record.created_at),
        "updated_at": iso_time(record.updated_at),
    }


def _render_inspection(found: Inspection) -> responses.InspectionAnswer:
    return responses.InspectionAnswer.model_validate(
        {
            "slots": _places(found.slots),
            "missing_nodes": [
                {"node": item.node, "title": item.title, "class_type": item.class_type}
                for item in found.missing_nodes
            ],
            "missing_models": [
                {
                    "node": item.node,
                    "title": item.title,
                    "class_type": item.class_type,
                    "input": item.input or "",
                    "value": item.value or "",
                }
                for item in found.missing_models
            ],
            "problems": [
                *(item.message for item in found.problems),
                *(item.detail for item in found.other_refusals),
            ],
        }
    )


def _places(slots: Slots) -> dict[str, list[dict[str, str]]]:
    return {name: [dict(vars(item)) for item in places] for name, places in slots.items()}


ENDPOINTS = (
    Endpoint(
        "POST",
        "/templates",
        save,
        "Save a graph as a template",
        "templates",
        answer=responses.TemplateAnswer,
        body=template_requests.TemplateBody,
        limits=LIMITS,
        refusals=SAVING,
    ),
    Endpoint(
        "POST",
        "/templates/inspect",
        inspect,
        "What a graph would be as a template: its slots, and what is missing",
        "templates",
        answer=responses.InspectionAnswer,
        body=template_requests.TemplateVersionBody,
        limits=LIMITS,
        changes=False,
        refusals=(408, 411, 413, 415),
    ),
    Endpoint(
        "POST",
        "/templates/import",
        import_file,
        "Save a template from an exported file",
        "templates",
        answer=responses.TemplateAnswer,
        body=template_requests.TemplateFileBody,
        limits=LIMITS,
        refusals=SAVING,
    ),
    Endpoint(
        "GET",
        "/templates",
        list_page,
        "List templates, newest first",
        "templates",
        answer=responses.TemplatesAnswer,
        query=template_requests.TemplatesQuery,
    ),
    Endpoint(
        "GET",
        "/templates/builtin/{family}",
        builtin,
        "The graph of a built-in family, as a starting point",
        "templates",
        answer=responses.TemplateFile,
        refusals=(404,),
    ),
    Endpoint(
        "GET",
        "/templates/{template_id}/export",
        export,
        "A template as a file",
        "templates",
        answer=responses.TemplateFile,
        refusals=(404,),
    ),
    Endpoint(
        "GET",
        "/templates/{template_id}",
        get,
        "A template by its id or name, with its graph",
        "templates",
        answer=responses.TemplateAnswer,
        refusals=(404,),
    ),
    Endpoint(
        "PUT",
        "/templates/{template_id}",
        replace,
        "Save a new version of a template",
        "templates",
        answer=responses.TemplateAnswer,
        body=template_requests.TemplateVersionBody,
        limits=LIMITS,
        headers=HEADERS,
        refusals=(*SAVING, 404, 412),
    ),
    Endpoint(
        "DELETE",
        "/templates/{template_id}",
        delete,
        "Delete a template; generations that used it keep working",
        "templates",
        answer=responses.TemplateDeletedAnswer,
        refusals=(404,),
    ),
)
