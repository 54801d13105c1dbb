"""What a schema cannot say, for schemathesis: a valid request holds a real picture and real names.

schemathesis imports it by the variable SCHEMATHESIS_HOOKS. Only what it means to be valid is changed; what it
means to be wrong goes out as it made it.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import uuid
from collections.abc import MutableMapping
from typing import Any

import schemathesis
from character_files import character_file
from graphs import plain
from pictures import picture
from schemathesis import Case, GenerationMode, HookContext

NAMES = {
    "sampler": "euler",
    "scheduler": "normal",
    "checkpoint": "avatarforge-synthetic-sd15.safetensors",
    "model": "avatarforge-synthetic-sd15.safetensors",
    "family": "sd15",
    "expression": "happy",
    "pose_image": base64.b64encode(picture(1)).decode(),
    "reference_image": base64.b64encode(picture(2)).decode(),
}
POSE: dict[str, Any] = {
    "canvas_width": 64,
    "canvas_height": 64,
    "people": [{"pose_keypoints_2d": [8, 8, 1, *([32, 40, 1] * 17)]}],
}


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    if case.query and re.fullmatch("[0-9]{1,2}", str(case.query.get("wait"))):
        case.query["wait"] = min(1, int(case.query["wait"]))  # it may be right where something else is wrong
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    path = case.operation.path
    if "family" in (case.path_parameters or {}):
        case.path_parameters["family"] = NAMES["family"]  # no other one is installed
    headers: MutableMapping[str, Any] = case.headers or {}
    headers.pop("Idempotency-Key", None)  # each request is another one
    headers.pop("X-Content-SHA256", None)  # a made-up one is never that of the body
    if path.endswith("/upload/pose_image"):
        as_json = case.media_type == "application/json"
        case.body = copy.deepcopy(POSE) if as_json else {"file": json.dumps(POSE)}
    elif path.endswith("/poses/library"):
        if isinstance(case.body, dict):
            case.body["pose"] = copy.deepcopy(POSE)
            case.body["name"] = f"{str(case.body['name'])[:50]} {uuid.uuid4().hex}"
    elif "/poses/library" in path and isinstance(case.body, dict):
        case.body["pose"] = copy.deepcopy(POSE)
    elif "/templates" in path:
        headers.pop("If-Match", None)  # a made-up version is never that of the template
        if isinstance(case.body, dict) and not path.endswith("/inspect"):
            _make_a_template(case.body)
    elif path.endswith("/batch") and isinstance(case.body, dict):
        _make_a_batch(case.body)
    elif path.endswith("/matrix") and isinstance(case.body, dict):
        _make_a_matrix(case.body)
    elif path.endswith("/expressions"):
        if isinstance(case.body, dict):
            case.body.pop("callback_url", None)
    elif path.endswith("/characters/import"):
        # No schema describes the file of a character, and bytes in a form count as a mistake.
        if case.media_type == "application/zip":
            case.body = character_file(character_id=str(uuid.uuid4()), name=uuid.uuid4().hex)
        case.query = {}
    elif "/character" in path:
        headers.pop("If-Match", None)
        if isinstance(case.body, dict):
            _make_a_character(case.body)
    elif isinstance(case.body, dict) and {"prompt", "character_id"} & case.body.keys():
        _make_sensible(case.body, several=path.endswith("/generate_all_poses"))


def _make_a_template(body: dict[str, Any]) -> None:
    """No schema describes a graph that ComfyUI accepts."""
    body["prompt"] = plain(NAMES["checkpoint"])
    body.update(slots=None)
    if body.get("name") is not None:
        body["name"] = f"{body['name'][:50]} {uuid.uuid4().hex}"


def _make_a_character(body: dict[str, Any]) -> None:
    """No schema says that names differ, or which fields exclude each other."""
    if body.get("name") is not None:
        body["name"] = uuid.uuid4().hex
    if body.get("description") is not None:
        body["description"] = "a knight"
    for name in ("outfits", "expressions"):
        if body.get(name) is not None:
            body[name] = [{"name": f"of {index}", "words": "x"} for index in range(len(body[name]))]
    if body.get("references") is not None:
        body["references"] = body["references"][:1]
    if body.get("defaults") is not None:
        body["defaults"] = {**body["defaults"], "views": None}
    body.update(model=None, template=None)
    if body.get("family") is not None:
        body["family"] = NAMES["family"]


def _make_a_batch(body: dict[str, Any]) -> None:
    body["requests"] = body["requests"][:3]  # no thousand runs that nobody waits for
    body.pop("callback_url", None)
    for item in body["requests"]:
        if not isinstance(item.get("kind"), str):
            item["kind"] = "avatar"
        item["pose"] = "front" if item["kind"] == "pose" else None
        for name in ("pose_image", "reference_image"):
            item.pop(name, None)  # a batch takes files only
        _make_sensible(item, several=item["kind"] == "all_poses")


def _make_a_matrix(body: dict[str, Any]) -> None:
    """No schema says which outfits a character has, or that the product of lists is limited."""
    base = body.get("base") or {}
    _make_sensible(base, several=False)
    _choose_the_model(base)
    for name in ("views", "character_version", "outfit", "expression", "count", "consistency", "turnaround"):
        base.pop(name, None)
    body.update(outfits=None, poses=None, version=None, count=1, base=base)
    for name, values in (("expressions", ["happy", None]), ("views", ["front", "left"])):
        if body.get(name) is not None:
            body[name] = values
    body.pop("callback_url", None)


def _choose_the_model(body: dict[str, Any]) -> None:
    """No schema says which fields the model of a character takes: the drawn family refuses most of them."""
    if body.get("model") is None and body.get("checkpoint") is None:
        body["family"] = NAMES["family"]


def _make_sensible(body: dict[str, Any], *, several: bool) -> None:
    body["prompt"] = (body.get("prompt") or "").strip() or "a knight"
    if body.get("character_id") is None:
        body.update(character_version=None, outfit=None)
    else:
        _choose_the_model(body)
    # So that what is let finish is quick.
    body.update(width=64, height=64, steps=1)
    body.pop("callback_url", None)  # no host may be called, unless a setting names it
    body.pop("template", None)  # none has a made-up name
    body.pop("pose_id", None)  # neither has a pose
    body.pop("pose_mirrored", None)
    body.update({name: value for name, value in NAMES.items() if body.get(name) is not None})
    for role in ("pose", "reference"):
        if body.get(f"{role}_file_id") is not None:
            body.pop(f"{role}_image", None)  # one of the two forms, not both
    if body.get("pixel_height") is None:
        body["pixel_colors"] = None
    body["loras"] = []  # none is installed
    # Nothing is installed that could measure most conditions, and nobody waits for a run that is repeated.
    body["until"] = None
    body.update(guidance=None, shift=None)  # other families have them
    if body.get("references") is not None:
        # No schema says that a picture is named once, in a role that the family takes, and in one form.
        body["references"] = [{**item, "role": "identity"} for item in body["references"][:1]]
        for name in ("reference_file_id", "reference_image", "reference_strength", "reference_method"):
            body.pop(name, None)
    if body.get("reference_image") is None and body.get("reference_file_id") is None:
        body["reference_method"] = None
    elif body.get("reference_method") is not None:
        body["reference_method"] = "attention"
    # A photo needs an extractor, which is not installed: a 503 that says so.
    given = body.get("pose_image") is not None or body.get("pose_file_id") is not None
    body["pose_mode"] = "raw" if given else None
    # No schema says that views differ.
    body["views"] = ["front", "left"] if several and body.get("views") is not None else None
    if not several:
        body.update(consistency=None, turnaround=None)
