// The form's input, which this browser keeps until it is changed again, so that a reload loses nothing.
import { readStored, writeStored } from "../shared/storage.mjs";

/** @import { Reference } from "../shared/types.d.ts" */
/** @import { FormInput } from "./form_input.mjs" */
/** @import { LibraryFields } from "./pose_slot.mjs" */
/**
 * Everything that the user has entered.
 * @typedef {object} FormState
 * @property {Record<string, unknown>} values by field, as the request has them
 * @property {string} view
 * @property {string} pose the id of the file; "" for none
 * @property {LibraryFields} libraryPose a pose of the library in its place
 * @property {string} reference
 * @property {Reference[]} references beside that one
 * @property {Record<string, unknown>} carried settings of a used generation for which the form has no field
 */

const KEY = "AvatarForge.Draft";
const VERSION = 1; // of what is stored; another one is ignored

/**
 * @param {FormState} state
 * @param {boolean} hasModel whether a model is installed
 */
export function saveDraft(state, hasModel) {
  writeStored(KEY, { version: VERSION, hasModel, ...state });
}

/** @returns {(FormState & { hasModel: boolean }) | null} null if there is none */
function loadDraft() {
  const stored = readStored(KEY);
  if (stored?.version !== VERSION) return null;
  const { values, view, pose, libraryPose, reference, references, carried, hasModel } = stored;
  return {
    values: values ?? {},
    view: String(view ?? ""),
    pose: String(pose ?? ""),
    libraryPose: libraryPose ?? {},
    reference: String(reference ?? ""),
    references: Array.isArray(references) ? references : [],
    carried: carried ?? {},
    hasModel: Boolean(hasModel),
  };
}

/**
 * Put the draft, if there is one, into a form that has just got its fields.
 * @param {FormInput} input
 * @param {boolean} hasModel whether a model is installed
 */
export function restoreDraft(input, hasModel) {
  const draft = loadDraft();
  if (!draft) return;
  const { state } = input;
  const values = { ...draft.values };
  // Without a model the doll was the only choice; with one it would go on drawing unasked.
  const doll = input.models.find(({ drawn }) => drawn);
  if (!draft.hasModel && hasModel && values.model === doll?.name) delete values.model;
  // What was put into a slot before the form was loaded is newer.
  const pose = state.pose || state.libraryPose.pose_id ? state : draft;
  input.state = {
    values,
    view: draft.view || state.view,
    pose: pose.pose,
    libraryPose: pose.libraryPose,
    reference: state.reference || draft.reference,
    references: state.references.length ? state.references : draft.references,
    carried: draft.carried,
  };
}
