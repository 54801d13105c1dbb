// The names of poses and of what can be dragged in one, in the user's language.

import { translateIfKnown } from "../shared/i18n.mjs";

/** @import { LibraryPose, Translate } from "../shared/types.d.ts" */
/** @import { Handle } from "./figure.mjs" */

/**
 * The name of a pose as people read it. Built-in names are English words joined by underscores.
 * @param {Pick<LibraryPose, "name" | "built_in">} pose
 * @param {Translate} t
 */
export const poseName = ({ name, built_in: builtIn }, t) =>
  builtIn ? (translateIfKnown(`built_in_pose_${name}`, {}, t) ?? name.replaceAll("_", " ")) : name;

/**
 * What a pose looks like, in words; "" if nothing is known.
 * @param {Pick<LibraryPose, "name" | "built_in" | "description">} pose
 * @param {Translate} t
 */
export const poseDescription = ({ name, built_in: builtIn, description }, t) =>
  (builtIn && translateIfKnown(`built_in_pose_${name}_is`, {}, t)) || (description ?? "");

/**
 * The names of all handles: of the joints by their numbers, and of the hands.
 * @param {Translate} t
 * @returns {Map<Handle, string>}
 */
export function handleLabels(t) {
  const joints = [
    t("joint_nose"),
    t("joint_neck"),
    t("joint_right_shoulder"),
    t("joint_right_elbow"),
    t("joint_right_wrist"),
    t("joint_left_shoulder"),
    t("joint_left_elbow"),
    t("joint_left_wrist"),
    t("joint_right_hip"),
    t("joint_right_knee"),
    t("joint_right_ankle"),
    t("joint_left_hip"),
    t("joint_left_knee"),
    t("joint_left_ankle"),
    t("joint_right_eye"),
    t("joint_left_eye"),
    t("joint_right_ear"),
    t("joint_left_ear"),
  ];
  /** @type {[Handle, string][]} */
  const hands = [
    ["right_hand", t("right_hand")],
    ["left_hand", t("left_hand")],
  ];
  return new Map([...joints.entries(), ...hands]);
}
