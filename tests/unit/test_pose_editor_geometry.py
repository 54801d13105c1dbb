"""The geometry of the pose editor in `web/poses`, which Node.js runs without a browser."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pose_formats import FIGURE, FRACTIONS, HEIGHT, WIDTH, body_25, flat, person

from avatarforge.forge.pictures.library.builtin import builtin_pose, openpose_json, written_pose
from avatarforge.forge.pictures.library.face import FACE_SWAP
from avatarforge.forge.pictures.openpose_json import PoseDocument, parse_pose
from avatarforge.forge.pictures.skeleton import KEYPOINT_NAMES, LIMBS
from lab.system import node_and_npm

POSES = Path(__file__).resolve().parents[2] / "web" / "poses"
MODULES = ("figure", "history", "moves", "openpose", "paths", "shapes")
NOSE, NECK, RIGHT_WRIST, LEFT_WRIST = 0, 1, 4, 7


def js(script: str, **values: Any) -> Any:
    """What the body of a function returns. It sees the modules' exports as members of `p`, and `values` by
    their names."""
    imports = "".join(
        f"import * as {name} from {json.dumps((POSES / f'{name}.mjs').as_uri())};\n" for name in MODULES
    )
    source = (
        f"{imports}const p = {{ {', '.join(f'...{name}' for name in MODULES)} }};\n"
        f"const {{ {', '.join(values)} }} = {json.dumps(values)};\n"
        f"console.log(JSON.stringify((() => {{ {script} }})() ?? null));\n"
    )
    node, _ = node_and_npm()
    answer = subprocess.run(
        [str(node), "--input-type=module"], input=source, capture_output=True, encoding="utf-8", check=False
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def built_in(name: str) -> dict[str, Any]:
    """The frame of OpenPose JSON that the library has for a built-in pose."""
    pose = builtin_pose(name)
    assert pose is not None
    frame: dict[str, Any] = json.loads(json.dumps(openpose_json(written_pose(pose))))
    return frame


def parsed(frame: Any) -> PoseDocument:
    return parse_pose(json.dumps(frame).encode())


def stature(frame: dict[str, Any]) -> float:
    ys: list[float] = [y for y in frame["people"][0]["pose_keypoints_2d"][1::3] if y]
    return max(ys) - min(ys)


@pytest.fixture(scope="module")
def standing() -> dict[str, Any]:
    return built_in("standing")


def test_joints_limbs_and_sides_are_those_of_the_server() -> None:
    found = js("return { limbs: p.LIMBS, swap: p.SWAP, face: p.FACE_SWAP, parents: p.PARENTS };")
    assert [tuple(limb) for limb in found["limbs"]] == list(LIMBS)
    assert tuple(found["face"]) == FACE_SWAP
    other = {"left": "right", "right": "left"}
    for joint, swapped in zip(KEYPOINT_NAMES, found["swap"], strict=True):
        side, _, part = joint.partition("_")
        assert KEYPOINT_NAMES[swapped] == (f"{other[side]}_{part}" if part else joint)
    assert [at for at, parent in enumerate(found["parents"]) if parent is None] == [NECK]


def test_what_was_read_is_written_as_the_same_pose() -> None:
    frames = [built_in(name) for name in ("standing", "sitting", "lying_on_side", "archery")]
    written = js("return frames.map((frame) => p.writeFigure(p.readFigure(frame)));", frames=frames)
    assert [parsed(frame) for frame in written] == [parsed(frame) for frame in frames]


def test_other_people_stay_and_the_first_who_is_seen_is_edited() -> None:
    moved = [(x + 7, y) for x, y in FIGURE]
    nobody = {"pose_keypoints_2d": [0] * 54}
    frame = {"people": [nobody, person(), person(moved)], "canvas_width": WIDTH, "canvas_height": HEIGHT}
    script = """
        const figure = p.readFigure(frame);
        return p.writeFigure(p.moveHandle(figure, 4, [figure.body[4][0] - 9, figure.body[4][1]], false));
    """
    first, second = js(script, frame=frame)["people"]
    assert second["pose_keypoints_2d"] == flat(moved)
    pairs = zip(first["pose_keypoints_2d"], flat(), strict=True)
    changed = [at for at, (new, old) in enumerate(pairs) if new != old]
    assert changed == [3 * RIGHT_WRIST]


def test_forms_that_other_programs_write_are_read() -> None:
    canvas = {"canvas_width": WIDTH, "canvas_height": HEIGHT}
    documents: list[Any] = [
        {"people": [person(body_25((256, 300), (1, 1)))], **canvas},
        {"people": [person(FRACTIONS)], **canvas},
        [{"people": []}, {"people": [person()], **canvas}],
    ]
    for figure in js("return documents.map(p.readFigure);", documents=documents):
        assert (figure["width"], figure["height"]) == (WIDTH, HEIGHT)
        assert figure["body"] == [pytest.approx(point) for point in FIGURE]


def test_a_pose_without_a_canvas_gets_that_of_the_server() -> None:
    frame = {"people": [person()]}
    figure = js("return p.readFigure(frame);", frame=frame)
    document = parsed(frame)
    assert (figure["width"], figure["height"]) == (document.width, document.height)


def test_what_cannot_be_edited_is_told_apart() -> None:
    bodies = ("x", [1] * 53, ["a"] * 54, [[1, 2, 3]] * 18, [0] * 54, [None] * 54)
    documents: list[Any] = [
        *(None, 7, "x", {}, [], {"people": None}, {"people": [None, 3]}),
        *({"people": [{"pose_keypoints_2d": body}]} for body in bodies),
    ]
    found = js("return documents.map(p.readFigure);", documents=documents)
    assert found == [None] * len(documents)


def test_a_joint_moves_alone_and_a_hand_follows_its_forearm(standing: dict[str, Any]) -> None:
    script = """
        const before = p.readFigure(frame);
        const [x, y] = before.body[7];
        const after = p.moveHandle(before, 7, [x + 30, y - 60], false);
        const turn = ({ body }) => Math.atan2(body[7][1] - body[6][1], body[7][0] - body[6][0]);
        const tip = ({ body, left_hand: hand }) =>
            Math.atan2(hand.points[12][1] - body[7][1], hand.points[12][0] - body[7][0]);
        return {
            moved: before.body.flatMap((point, at) => (String(point) === String(after.body[at]) ? [] : [at])),
            wrist: after.body[7].map((value, at) => value - before.body[7][at]),
            turned: [turn(after) - turn(before), tip(after) - tip(before)],
            other: JSON.stringify(after.right_hand) === JSON.stringify(before.right_hand),
            root: [before, after].map(({ body, left_hand: hand }) => p.distance(hand.points[0], body[7])),
        };
    """
    found = js(script, frame=standing)
    assert found["moved"] == [LEFT_WRIST]
    assert found["wrist"] == pytest.approx([30, -60])
    assert found["turned"][0] == pytest.approx(found["turned"][1])
    assert abs(found["turned"][0]) > 0.1
    assert found["other"] is True
    assert found["root"][0] == pytest.approx(found["root"][1])


def test_the_nose_takes_the_head_and_the_face_with_it(standing: dict[str, Any]) -> None:
    script = """
        const before = p.readFigure(frame);
        const [x, y] = before.body[0];
        const after = p.moveHandle(before, 0, [x + 5, y - 3], false);
        const shift = (from, to) => from.map((value, at) => to[at] - value);
        return {
            head: before.body.flatMap((point, at) => (String(point) === String(after.body[at]) ? [] : [at])),
            face: before.face.points.map((point, at) => shift(point, after.face.points[at])),
        };
    """
    found = js(script, frame=standing)
    assert found["head"] == [0, 14, 15, 16, 17]
    assert all(shift == pytest.approx([5, -3]) for shift in found["face"])


def test_no_move_changes_the_length_of_a_limb_if_lengths_are_fixed() -> None:
    script = """
        const length = (first, second) => (first && second ? p.distance(first, second) : 0);
        const lengths = ({ body, left_hand: left, right_hand: right }) => [
            ...p.LIMBS.map(([from, to]) => length(body[from], body[to])),
            ...[left, right].flatMap((hand) => (hand?.points ?? []).map((at) => length(at, hand.points[0]))),
        ];
        let [worst, changed] = [0, 0];
        for (const before of frames.map(p.readFigure)) {
            const old = lengths(before);
            const edge = [before.width, before.height / 2];
            const targets = [[0, 0], edge, before.body[1], before.body[8] ?? [3, 4]];
            for (const handle of p.handlesOf(before))
                for (const target of targets) {
                    const after = p.moveHandle(before, handle, target, true);
                    lengths(after).forEach((now, at) => (worst = Math.max(worst, Math.abs(now - old[at]))));
                    if (!p.visible(after.body).flat().every(Number.isFinite)) return { worst: handle };
                    changed += JSON.stringify(after) === JSON.stringify(before) ? 0 : 1;
                }
        }
        return { worst, changed };
    """
    frames = [built_in(name) for name in ("standing", "kneeling_on_one_knee", "archery")]
    found = js(script, frames=frames)
    assert found["worst"] == pytest.approx(0, abs=1e-6)
    assert found["changed"] > 100


def test_a_wrist_reaches_its_target_and_the_elbow_stays_on_its_side(standing: dict[str, Any]) -> None:
    script = """
        const before = p.readFigure(frame);
        const [shoulder, elbow, wrist] = [2, 3, 4].map((joint) => before.body[joint]);
        const near = [(shoulder[0] + wrist[0]) / 2 - 20, (shoulder[1] + wrist[1]) / 2];
        const far = [shoulder[0] - 2000, shoulder[1]];
        const cross = (a, b) => a[0] * b[1] - a[1] * b[0];
        const way = (from, to) => [to[0] - from[0], to[1] - from[1]];
        const side = ([a, b, c]) => Math.sign(cross(way(a, c), way(a, b)));
        const arm = (target) => p.moveHandle(before, 4, target, true).body.slice(2, 5);
        const straight = arm(far);
        return {
            miss: p.distance(arm(near)[2], near),
            sides: [side([shoulder, elbow, wrist]), side(arm(near))],
            level: straight.map(([, y]) => y - shoulder[1]),
            reach: p.distance(straight[0], straight[2]),
            lengths: p.distance(shoulder, elbow) + p.distance(elbow, wrist),
        };
    """
    found = js(script, frame=standing)
    assert found["miss"] == pytest.approx(0, abs=1e-6)
    assert found["sides"][0] == found["sides"][1] != 0
    assert found["level"] == pytest.approx([0, 0, 0], abs=1e-4)
    assert found["reach"] == pytest.approx(found["lengths"])


def test_the_neck_moves_everything_if_lengths_are_fixed(standing: dict[str, Any]) -> None:
    script = """
        const before = p.hideJoint(p.readFigure(frame), 4); // a hand without a wrist
        const [x, y] = before.body[1];
        const after = p.moveHandle(before, 1, [x + 11, y - 4], true);
        const all = ({ body, face, left_hand: left, right_hand: right }) =>
            [body, face.points, left.points, right.points].flatMap(p.visible);
        const moved = all(after);
        return all(before).map((point, at) => [moved[at][0] - point[0], moved[at][1] - point[1]]);
    """
    shifts = js(script, frame=standing)
    assert len(shifts) > 100
    assert all(shift == pytest.approx([11, -4]) for shift in shifts)


def test_a_hand_turns_around_its_wrist_and_grows_only_without_fixed_lengths(standing: dict[str, Any]) -> None:
    script = """
        const before = p.readFigure(frame);
        const wrist = before.body[7];
        const size = (figure) => p.distance(p.handlePoint(figure, "left_hand"), wrist);
        const away = 2 * size(before);
        const target = [wrist[0] + away, wrist[1]];
        const results = [true, false].map((fixed) => p.moveHandle(before, "left_hand", target, fixed));
        return {
            factors: results.map((figure) => size(figure) / size(before)),
            heights: results.map((figure) => p.handlePoint(figure, "left_hand")[1] - wrist[1]),
            roots: results.map((figure) => p.distance(figure.left_hand.points[0], wrist)),
            body: results.every((figure) => JSON.stringify(figure.body) === JSON.stringify(before.body)),
        };
    """
    found = js(script, frame=standing)
    assert found["factors"] == pytest.approx([1, 2])
    assert found["heights"] == pytest.approx([0, 0], abs=1e-6)
    assert found["roots"] == pytest.approx([0, 0], abs=0.05)
    assert found["body"] is True


def test_a_mirrored_figure_is_itself_after_a_second_time() -> None:
    script = """
        const before = p.readFigure(frame);
        const once = p.mirrorFigure(before);
        const twice = p.mirrorFigure(once);
        const box = [before, once].map(p.boundsOf);
        return { twice: p.writeFigure(twice), once: p.writeFigure(once), box };
    """
    frame = built_in("waving")
    found = js(script, frame=frame)
    assert found["box"][0] == pytest.approx(found["box"][1])
    for part, numbers in found["twice"]["people"][0].items():
        assert numbers == pytest.approx(frame["people"][0][part], abs=0.02), part
    once, original = (found[key]["people"][0] for key in ("once", "twice"))
    sides = ("hand_left_keypoints_2d", "hand_right_keypoints_2d")
    middle = found["box"][0]["left"] + found["box"][0]["right"]
    for first, second in (sides, sides[::-1]):
        assert once[first][0::3] == pytest.approx([middle - x for x in original[second][0::3]], abs=0.02)
    assert once["pose_keypoints_2d"][3 * LEFT_WRIST + 1] == original["pose_keypoints_2d"][3 * RIGHT_WRIST + 1]
    assert once["pose_keypoints_2d"] != original["pose_keypoints_2d"]
    # The first point of the outline of a face is at the right ear, which is left in the picture.
    assert once["face_keypoints_2d"][0] < once["face_keypoints_2d"][3 * 16]


def test_a_joint_that_is_added_is_near_where_it_was(standing: dict[str, Any]) -> None:
    script = """
        const before = p.readFigure(frame);
        return before.body.map((point, joint) => {
            const without = p.hideJoint(before, joint);
            return [without.body[joint], point && p.distance(p.addJoint(without, joint).body[joint], point)];
        });
    """
    found = js(script, frame=standing)
    assert [hidden for hidden, _ in found] == [None] * len(KEYPOINT_NAMES)
    assert max(away for _, away in found) < 0.08 * stature(standing)


def test_the_last_joint_cannot_be_hidden(standing: dict[str, Any]) -> None:
    script = """
        let figure = p.readFigure(frame);
        for (const joint of figure.body.keys()) figure = p.hideJoint(figure, joint);
        const left = figure.body.flatMap((point, at) => (point ? [at] : []));
        return { left, again: p.addJoint(figure, 1).body[1] };
    """
    found = js(script, frame=standing)
    assert found["left"] == [17]
    assert all(math.isfinite(value) for value in found["again"])


def test_new_hands_and_faces_lie_where_the_server_draws_them(standing: dict[str, Any]) -> None:
    script = """
        const before = p.readFigure(frame);
        const bare = { ...before, left_hand: null, right_hand: null, face: null };
        const full = p.PART_NAMES.reduce((figure, name) => p.showPart(figure, name, true), bare);
        const away = full.face.points.map((point, at) => p.distance(point, before.face.points[at]));
        const hand = p.distance(full.left_hand.points[12], full.body[7]);
        return { face: Math.max(...away), hand, written: p.writeFigure(full) };
    """
    found = js(script, frame=standing)
    assert found["face"] < 0.02 * stature(standing)
    assert 0.08 < found["hand"] / stature(standing) < 0.14
    details = parsed(found["written"])
    assert details.left_out == ()
    (parts,) = details.details
    assert [len(part or ()) for part in (parts.left_hand, parts.right_hand, parts.face)] == [21, 21, 70]
    thumbs = [found["written"]["people"][0][f"hand_{side}_keypoints_2d"][3 * 4] for side in ("right", "left")]
    roots = [found["written"]["people"][0][f"hand_{side}_keypoints_2d"][0] for side in ("right", "left")]
    assert thumbs[0] > roots[0] and thumbs[1] < roots[1]  # to each other, as the arms hang down


def test_a_part_that_is_off_is_not_written_but_moves_and_comes_back(standing: dict[str, Any]) -> None:
    script = """
        const before = p.readFigure(frame);
        const off = p.showPart(before, "face", false);
        const [x, y] = off.body[0];
        const moved = p.moveHandle(off, 0, [x + 10, y], false);
        const on = p.showPart(moved, "face", true);
        return { off: p.writeFigure(off), x: on.face.points[30][0] - before.face.points[30][0] };
    """
    found = js(script, frame=standing)
    assert "face_keypoints_2d" not in found["off"]["people"][0]
    assert "hand_left_keypoints_2d" in found["off"]["people"][0]
    assert found["x"] == pytest.approx(10)


def test_a_face_needs_a_nose_and_a_hand_its_wrist(standing: dict[str, Any]) -> None:
    script = """
        const bare = { ...p.readFigure(frame), left_hand: null, face: null };
        const [noseless, handless] = [p.hideJoint(bare, 0), p.hideJoint(bare, 7)];
        return [
            p.canShow(bare, "face"), p.canShow(noseless, "face"), p.showPart(noseless, "face", true).face,
            p.canShow(bare, "left_hand"), p.canShow(handless, "left_hand"),
            p.showPart(handless, "left_hand", true).left_hand,
        ];
    """
    assert js(script, frame=standing) == [True, False, None, True, False, None]


def test_the_nearest_handle_is_taken_but_the_selected_one_wins_if_as_near(standing: dict[str, Any]) -> None:
    script = """
        const figure = p.readFigure(frame);
        const [nose, eye] = [figure.body[0], figure.body[14]];
        const near = (share) => [nose[0] + (eye[0] - nose[0]) * share, nose[1] + (eye[1] - nose[1]) * share];
        const reach = 40;
        return [
            p.nearestHandle(figure, eye, reach), p.nearestHandle(figure, eye, reach, 0),
            p.nearestHandle(figure, near(0.55), reach), p.nearestHandle(figure, near(0.55), reach, 0),
            p.nearestHandle(figure, near(0.55), reach, 10), p.nearestHandle(figure, [-500, -500], reach),
        ];
    """
    assert js(script, frame=standing) == [14, 14, 14, NOSE, 14, None]


def test_a_group_is_taken_back_without_a_trace() -> None:
    script = """
        const history = new p.History(0);
        history.set(1);
        history.set(2, "drag");
        history.set(3, "drag");
        history.cancelGroup("other");
        const kept = history.state;
        history.cancelGroup("drag");
        const after = [history.state, history.canUndo, history.canRedo];
        history.cancelGroup("drag");
        return [kept, after, history.state];
    """
    assert js(script) == [3, [1, True, False], 1]


def test_changes_of_one_group_are_undone_together() -> None:
    script = """
        const history = new p.History(0);
        const seen = [];
        const note = () => seen.push([history.state, history.canUndo, history.canRedo, history.isChanged]);
        note();
        history.set(1, "drag"); history.set(2, "drag"); note();
        history.endGroup(); history.set(3, "drag"); note();
        history.undo(); note();
        history.undo(); note();
        history.undo(); history.redo(); note();
        history.set(9); note();
        history.redo(); note();
        return seen;
    """
    assert js(script) == [
        [0, False, False, False],
        [2, True, False, True],
        [3, True, False, True],
        [2, True, True, True],
        [0, False, True, False],
        [2, True, True, True],
        [9, True, False, True],
        [9, True, False, True],
    ]


def test_the_view_shows_a_figure_that_reaches_out_of_its_canvas(standing: dict[str, Any]) -> None:
    script = """
        const figure = p.readFigure(frame);
        const [inside, outside] = [figure, p.scaleFigure(figure, 1.5)].map(p.viewOf);
        return { inside, outside, width: figure.width, height: figure.height };
    """
    found = js(script, frame=standing)
    inside, outside = found["inside"], found["outside"]
    assert inside["x"] < 0 and inside["x"] + inside["width"] > found["width"]
    assert inside["width"] == inside["height"]  # room for arms beside a narrow canvas
    assert outside["height"] > inside["height"] > found["height"]


def test_a_canvas_is_extended_only_where_the_figure_leaves_it(standing: dict[str, Any]) -> None:
    script = """
        const before = { ...p.readFigure(frame), others: [p.readFigure(frame)] };
        const out = p.moveHandle(before, 4, [-200, before.body[2][1]], false);
        const fitted = p.fitCanvas(out);
        return {
            same: p.fitCanvas(before) === before,
            sizes: [before, fitted].map(({ width, height }) => [width, height]),
            shifts: out.body.map(([x, y], at) => [fitted.body[at][0] - x, fitted.body[at][1] - y]),
            other: fitted.others[0].body[1][0] - before.body[1][0],
            box: p.boundsOf(fitted),
            written: p.writeFigure(fitted),
        };
    """
    found = js(script, frame=standing)
    assert found["same"] is True
    (width, height), (wider, as_high) = found["sizes"]
    shift = wider - width
    assert shift > 200 and as_high == height
    assert all(move == pytest.approx([shift, 0]) for move in found["shifts"])
    assert found["other"] == pytest.approx(shift)
    assert found["box"]["left"] > 0
    assert (parsed(found["written"]).width, parsed(found["written"]).height) == (wider, height)
