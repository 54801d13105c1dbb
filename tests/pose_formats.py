"""One figure in every format that programs write."""

from __future__ import annotations

import json
from typing import Any

from avatarforge.forge.pictures.openpose_json import MAX_ENTRIES

WIDTH, HEIGHT = 512, 768
# The figure of the files in tests/data/cases.
FIGURE: tuple[tuple[int, int], ...] = (
    *((256, 80), (256, 140), (210, 140), (190, 220), (180, 300), (302, 140), (322, 220), (332, 300)),
    *((225, 300), (220, 420), (215, 540), (287, 300), (292, 420), (297, 540)),
    *((245, 70), (267, 70), (230, 75), (282, 75)),
)


def flat(points: Any = FIGURE, confidence: float = 1.0) -> list[float]:
    return [number for x, y in points for number in (x, y, confidence)]


def person(points: Any = FIGURE, **more: Any) -> dict[str, Any]:
    return {"pose_keypoints_2d": flat(points), **more}


def body_25(middle: Any, feet: Any) -> list[Any]:
    return [*FIGURE[:8], middle, *FIGURE[8:], *[feet] * 6]


CANVAS = {"canvas_width": WIDTH, "canvas_height": HEIGHT}
FRACTIONS = [(x / WIDTH, y / HEIGHT) for x, y in FIGURE]
PAIRS = [list(point) for point in FIGURE]
TRIPLES = [[x, y, 0.7] for x, y in FIGURE]
NOBODY = {"pose_keypoints_2d": [0] * 54}
FRAME = {"people": [person()], **CANVAS}
OTHERS = {
    "face_keypoints_2d": [5, 5, 1] * 70,
    "hand_left_keypoints_2d": [5, 5, 1] * 21,
    "hand_right_keypoints_2d": None,
    "foot_keypoints_2d": [5, 5, 1] * 6,
    "pose_keypoints_3d": [],
}

SAME: dict[str, Any] = {
    # OpenPose, doc/02_output.md
    "openpose": {"version": 1.3, "people": [{"person_id": [-1], **person(**OTHERS)}], **CANVAS},
    "openpose-1.0": {"version": 1.0, "people": [{"pose_keypoints": flat()}], **CANVAS},
    "openpose-body-25": {"people": [person(body_25((256, 300), (1, 1)))], **CANVAS},
    # ControlNet, sd-webui-openpose-editor, comfyui_controlnet_aux, ComfyUI's POSE_KEYPOINT
    "controlnet": {"people": [person(**OTHERS)], "animals": [], **CANVAS},
    "controlnet-frames": [FRAME],
    "controlnet-nulls": [{"people": [person(face_keypoints_2d=None, hand_left_keypoints_2d=None)], **CANVAS}],
    "controlnet-fractions": [{"people": [person(FRACTIONS)], **CANVAS}],
    "sdpose-scores": [{"people": [{"pose_keypoints_2d": flat(confidence=0.31), **OTHERS}], **CANVAS}],
    "nested": {"people": [{"pose_keypoints_2d": TRIPLES}], **CANVAS},
    "nested-pairs": {"people": [{"pose_keypoints_2d": PAIRS}], **CANVAS},
    "nested-objects": {
        "people": [{"keypoints": [{"x": x, "y": y, "confidence": 0.5} for x, y in FIGURE]}],
        **CANVAS,
    },
    "nested-objects-score": {
        "people": [{"keypoints": [{"x": x, "y": y, "z": 3, "score": 0.5} for x, y in FIGURE]}],
        **CANVAS,
    },
    "nested-objects-bare": {"people": [{"keypoints": [{"x": x, "y": y} for x, y in FIGURE]}], **CANVAS},
    "flat-pairs": {"people": [{"pose_keypoints_2d": [n for point in FIGURE for n in point]}], **CANVAS},
    "flat-pairs-25": {
        "people": [{"keypoints": [n for point in body_25((256, 300), (1, 1)) for n in point]}],
        **CANVAS,
    },
    "nested-25": {
        "people": [{"pose_keypoints_2d": [[*point, 1] for point in body_25((1, 1), (9, 9))]}],
        **CANVAS,
    },
    # The OpenPose editors of Automatic1111 (one list) and ComfyUI (one list for each person)
    "editor-one-list": {"width": WIDTH, "height": HEIGHT, "keypoints": PAIRS},
    "editor-lists": {"width": WIDTH, "height": HEIGHT, "keypoints": [PAIRS]},
    "editor-triples": {"width": WIDTH, "height": HEIGHT, "keypoints": [TRIPLES]},
    "editor-numbers": {"width": WIDTH, "height": HEIGHT, "keypoints": flat()},
    "editor-numbers-each": {"width": WIDTH, "height": HEIGHT, "keypoints": [flat()]},
    "editor-fractions": {"width": WIDTH, "height": HEIGHT, "keypoints": [[list(p) for p in FRACTIONS]]},
    "editor-with-empty": {"width": WIDTH, "height": HEIGHT, "keypoints": [None, PAIRS, [], [None] * 18]},
    "editor-people": {"people": [person()], "width": WIDTH, "height": HEIGHT},
    "editor-both-empty": {"people": [], "width": WIDTH, "height": HEIGHT, "keypoints": [PAIRS]},
    # People of whom nothing is there
    "null-people": {"people": [None, None, person(), None], **CANVAS},
    "empty-people": {"people": [*[NOBODY] * 29, person(), {}, [], {"pose_keypoints_2d": []}], **CANVAS},
    "empty-null-keypoints": {"people": [{"pose_keypoints_2d": [None] * 54}, person()], **CANVAS},
    "empty-25": {"people": [{"pose_keypoints_2d": [0] * 75}, person()], **CANVAS},
    "hands-only": {"people": [{"hand_left_keypoints_2d": [5, 5, 1] * 21}, person()], **CANVAS},
    "unsure": {"people": [{"pose_keypoints_2d": flat(confidence=-0.5)}, person()], **CANVAS},
    "as-many-empty-as-read": {"people": [*[None] * (MAX_ENTRIES - 1), person()], **CANVAS},
    # Frames of which one shows somebody
    "first-frame-empty": [{"people": [], **CANVAS}, FRAME],
    "first-frame-of-nobody": [{"people": [NOBODY, None], "canvas_width": 99, "canvas_height": 99}, FRAME],
    "null-frames": [None, FRAME, None],
    "null-people-frame": [{"people": None, **CANVAS}, FRAME],
    "frame-of-animals": [{"animals": [[[1, 1, 1]] * 17], **CANVAS}, FRAME],
    # The canvas under other names
    "canvas-camel-case": {"people": [person()], "canvasWidth": WIDTH, "canvasHeight": HEIGHT},
    "canvas-as-object": {"people": [person()], "canvas": {"width": WIDTH, "height": HEIGHT}},
    "canvas-as-list": {"people": [person()], "canvas": [WIDTH, HEIGHT]},
    "canvas-size": {"people": [person()], "canvas_size": [WIDTH, HEIGHT]},
    "size": {"people": [person()], "size": [WIDTH, HEIGHT]},
    "size-object": {"people": [person()], "size": {"w": WIDTH, "h": HEIGHT}},
    "resolution": {"people": [person()], "resolution": [WIDTH, HEIGHT]},
    "image-size-object": {"people": [person()], "image_size": {"width": WIDTH, "height": HEIGHT}},
    "image-width": {"people": [person()], "image_width": WIDTH, "image_height": HEIGHT},
    "image-object": {"people": [person()], "image": {"width": WIDTH, "height": HEIGHT, "file": "a.png"}},
    "w-and-h": {"people": [person()], "w": WIDTH, "h": HEIGHT},
    "floats": {"people": [person()], "canvas_width": 512.0, "canvas_height": 767.6},
    "twice-the-same": {"people": [person()], **CANVAS, "width": WIDTH, "height": HEIGHT, "size": [512, 768]},
    "null-beside": {"people": [person()], **CANVAS, "width": None, "height": None, "resolution": None},
}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()
