// The choice of the view: one of the built-in ones, none in particular, or all of them as a sheet.
import { make } from "../shared/elements.mjs";
import { RadioGroup } from "./fields.mjs";
import { FREE, SHEET } from "./form_request.mjs";
import { drawSkeleton } from "./skeletons.mjs";

/** @import { Generation, Pose, Translate } from "../shared/types.d.ts" */

const FIGURES = 4; // of a sheet

/** @param {Translate} t */
export function makeViews(t) {
  const field = new RadioGroup(
    t("view"),
    [
      { value: FREE, text: t("view_free"), title: t("view_free_hint") },
      { value: "front", text: t("view_front") },
      { value: "back", text: t("view_back") },
      { value: "side", text: t("view_side") },
      { value: "quarter", text: t("view_quarter") },
      { value: SHEET, text: t("kind_sheet"), title: t("view_sheet_hint") },
    ],
    FREE,
  );
  field.row.classList.add("avatarforge-views");
  const figures = Array.from({ length: FIGURES }, () => make("i"));
  field.setDrawing(SHEET, make("span", { className: "avatarforge-sheet-drawing", "aria-hidden": "true" }, ...figures));
  return field;
}

/**
 * @param {RadioGroup} field
 * @param {Pose[]} poses
 */
export function drawViews(field, poses) {
  for (const pose of poses) field.setDrawing(pose.name, drawSkeleton(pose.skeleton));
  if (poses.length) field.setDrawing(FREE, drawSkeleton(poses[0].skeleton, true));
}

/**
 * The view of a generation, as the form has it.
 * @param {Generation} generation
 */
export function viewOf({ inputs, kind, output_files: outputs }) {
  if (kind === "all_poses") return SHEET;
  const view = outputs[0]?.pose_type ?? inputs.find((input) => input.pose_type)?.pose_type;
  return kind === "pose" && view ? view : FREE;
}
