// The zone of one role: its pictures, and where others are dropped, pasted, uploaded or chosen.
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { chooseFile } from "../shared/file_dialog.mjs";
import { newId } from "../panel/fields.mjs";
import { viewName } from "../panel/labels.mjs";
import { DIRECTIONS } from "./options.mjs";
import { PICTURE_TYPES, givenPictures, hasPictures } from "./store_picture.mjs";

/** @import { CharacterReference, ReferenceRole, Translate } from "../shared/types.d.ts" */
/** @import { Labels } from "../panel/labels.mjs" */
/** @import { References } from "./references.mjs" */

const SIZE = 256; // pixels of a thumbnail
const DRAGGED = "application/x-avatarforge-reference"; // the index of a reference that is dragged to another role

/** @type {Record<ReferenceRole, { name: Labels[string], hint: Labels[string] }>} */
export const ROLES = {
  identity: { name: (t) => t("role_identity"), hint: (t) => t("role_identity_hint") },
  face: { name: (t) => t("role_face"), hint: (t) => t("role_face_hint") },
  outfit: { name: (t) => t("role_outfit"), hint: (t) => t("role_outfit_hint") },
  style: { name: (t) => t("role_style"), hint: (t) => t("role_style_hint") },
};
export const ROLE_NAMES = /** @type {ReferenceRole[]} */ (Object.keys(ROLES));

/**
 * The name of a role where it begins a line.
 * @param {ReferenceRole} role
 * @param {Translate} t
 */
export function roleName(role, t) {
  const [first, ...rest] = ROLES[role].name(t);
  return first.toLocaleUpperCase() + rest.join("");
}

export class Zone {
  /**
   * @param {References} owner
   * @param {ReferenceRole} role
   */
  constructor(owner, role) {
    const { t } = owner.session;
    this.owner = owner;
    this.role = role;
    const headingId = newId();
    const name = roleName(role, t);
    this.list = make("ul", { className: "avatarforge-reference-list", "aria-labelledby": headingId });
    this.hint = make("p", { className: "avatarforge-hint", textContent: ROLES[role].hint(t) });
    this.input = make("input", { type: "file", accept: PICTURE_TYPES.join(","), multiple: true, hidden: true });
    this.input.setAttribute("aria-label", t("upload_as", { role: name }));
    this.input.addEventListener("change", () => {
      owner.upload([...(this.input.files ?? [])], role);
      this.input.value = ""; // so that the same file can be chosen again
    });
    this.chooseButton = button(t("choose"), () => void this.#choose(), { "aria-label": t("choose_as", { role: name }) });
    this.element = make(
      "section",
      { className: "avatarforge-reference-zone", "aria-labelledby": headingId },
      make("h4", { id: headingId, textContent: name }),
      this.hint,
      this.list,
      make(
        "div",
        { className: "avatarforge-row" },
        this.chooseButton,
        button(t("upload"), () => this.input.click(), { "aria-label": t("upload_as", { role: name }) }),
        this.input,
      ),
    );
    for (const type of /** @type {const} */ (["dragenter", "dragover", "dragleave", "drop"]))
      this.element.addEventListener(type, (event) => this.#handleDrag(event));
    this.element.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      event.stopPropagation(); // otherwise the form or the editor takes it
      owner.upload(files, role);
    });
  }

  /** @param {CharacterReference[]} references */
  draw(references) {
    const own = references.flatMap((reference, index) =>
      reference.role === this.role ? [this.#item(reference, index)] : [],
    );
    this.list.replaceChildren(...own);
    this.list.hidden = !own.length;
  }

  focus() {
    this.chooseButton.focus();
  }

  /** Focus the role of the last picture, which has just come here. */
  focusLast() {
    /** @type {HTMLElement | null} */
    const control = this.list.querySelector("li:last-child select");
    (control ?? this.chooseButton).focus();
  }

  /**
   * @param {CharacterReference} reference
   * @param {number} index
   */
  #item({ file_id: fileId, role, view }, index) {
    const { owner } = this;
    const { client, t } = owner.session;
    const number = index + 1;
    const image = make("img", { alt: t("reference_number", { n: number }), loading: "lazy", draggable: true });
    void client.applyUrl(`/files/${fileId}/thumbnail?size=${SIZE}`, (url) => (image.src = url));
    image.addEventListener("dragstart", ({ dataTransfer }) => {
      dataTransfer?.clearData(); // otherwise the browser adds the thumbnail as a file
      dataTransfer?.setData(DRAGGED, String(index));
    });
    const roles = select(
      ROLE_NAMES.map((name) => [name, roleName(name, t)]),
      role,
      t("reference_role", { n: number }),
    );
    roles.addEventListener("change", () => owner.move(index, /** @type {ReferenceRole} */ (roles.value)));
    const shown = view && !DIRECTIONS.includes(view) ? [...DIRECTIONS, view] : DIRECTIONS;
    const views = select(
      [["", t("reference_view_unknown")], ...shown.map((name) => /** @type {[string, string]} */ ([name, viewName(name, t)]))],
      view ?? "",
      t("reference_view", { n: number }),
    );
    views.addEventListener("change", () => owner.setView(index, views.value || null));
    const remove = button(t("remove_file"), () => owner.remove(index), {
      "aria-label": t("reference_remove", { n: number }),
    });
    return make("li", {}, image, roles, views, remove);
  }

  async #choose() {
    const { owner, role } = this;
    const { client, t } = owner.session;
    const file = await chooseFile({
      client,
      t,
      title: t("choose_reference"),
      chosenId: "",
      accepts: ({ mime_type: type }) => PICTURE_TYPES.includes(type),
    });
    if (file) owner.add(file.file_id, role);
  }

  /** @param {DragEvent} event */
  #handleDrag(event) {
    const { owner, role } = this;
    const { dataTransfer: transfer } = event;
    const isOwn = Boolean(transfer?.types.includes(DRAGGED));
    if (!isOwn && !hasPictures(transfer)) return;
    event.preventDefault();
    event.stopPropagation(); // otherwise the editor opens it as a workflow
    this.element.classList.toggle("avatarforge-drag-over", event.type === "dragenter" || event.type === "dragover");
    if (event.type !== "drop") return;
    if (isOwn) owner.move(Number(transfer?.getData(DRAGGED)), role);
    else void this.#drop(transfer);
  }

  /** @param {DataTransfer | null} transfer */
  async #drop(transfer) {
    const { owner, role } = this;
    const { client, t } = owner.session;
    try {
      const files = await givenPictures(transfer, client);
      if (files.length) owner.upload(files, role);
      else setStatus(owner.status, t("no_picture_in_drop"), true);
    } catch (error) {
      setStatus(owner.status, errorMessage(error, t), true);
    }
  }
}

/**
 * @param {[value: string, text: string][]} options
 * @param {string} value
 * @param {string} label
 */
function select(options, value, label) {
  const control = make(
    "select",
    { className: "avatarforge-control" },
    ...options.map(([option, textContent]) => make("option", { value: option, textContent })),
  );
  control.setAttribute("aria-label", label);
  control.value = value;
  return control;
}
