// The sections of one generation: pictures, warnings, input files, settings and receipt.
import { button, make } from "../shared/elements.mjs";
import { translateIfKnown } from "../shared/i18n.mjs";
import { menuButton } from "../shared/menu.mjs";
import { formatDuration, formatTime, kindName, statusBadge, viewName } from "./labels.mjs";
import { DRAWN, canReroll, canRerollNow, drag, isAlone, pictureName, picturesOf } from "./pictures.mjs";
import { scoreList } from "./scores.mjs";
import { settingName, settingText, shownSettings } from "./setting_texts.mjs";
import { makeSheet } from "./sheet.mjs";

/** @import { FileKind, Generation, InputReceipt, Parameters, Translate, Warning } from "../shared/types.d.ts" */
/** @import { Labels } from "./labels.mjs" */
/** @import { PictureActions } from "./picture_actions.mjs" */
/** @import { Picture } from "./pictures.mjs" */
/** @import { Session } from "./session.mjs" */
/** @import { TakeStrips } from "./takes.mjs" */
/**
 * What stands with each picture. `view` shows it large.
 * @typedef {{ actions: PictureActions, view: (picture: Picture) => void, takes: TakeStrips }} PictureParts
 */

/** @type {Labels} */
const ROLES = {
  pose: (t) => t("pose"),
  reference: (t) => t("reference"),
  source: (t) => t("role_source"),
  view: (t) => t("role_view"),
  anchor: (t) => t("role_anchor"),
};

/**
 * Status, kind and times in one line.
 * @param {Generation} generation
 * @param {Session} session
 */
export function summary(generation, { locale, t }) {
  const { created_at: created, started_at: started, completed_at: completed, output_files: outputs, parameters } = generation;
  const wasRerolled = outputs.some(({ take, takes }) => takes > 1 || take > 1);
  // After a re-roll the times are those of the last one.
  const durationText = (/** @type {string} */ time) => (wasRerolled ? t("reroll_took", { time }) : t("took", { time }));
  const seconds = started && completed ? (Date.parse(completed) - Date.parse(started)) / 1000 : null;
  return make(
    "p",
    { className: "avatarforge-line" },
    statusBadge(generation, t),
    ` ${kindName(generation, t)} · ${formatTime(created, locale)}`,
    seconds === null ? "" : ` · ${durationText(formatDuration(seconds, t))}`,
    parameters?.checkpoint === DRAWN ? ` · ${t("drawn_by_doll")}` : "",
  );
}

/**
 * The finished pictures, as a sheet.
 * @param {Generation} generation
 * @param {Session} session
 * @param {PictureParts} parts
 */
export function pictures(generation, session, parts) {
  return makeSheet(
    picturesOf(generation).map((picture) => ({
      ...picture.output.dimensions,
      element: pictureFigure(picture, session, parts),
    })),
  );
}

/**
 * @param {Picture} picture
 * @param {Session} session
 * @param {PictureParts} parts
 */
function pictureFigure(picture, { client, t }, { actions, view, takes }) {
  const { generation, output, number } = picture;
  const { width, height } = output.dimensions;
  const name = pictureName(picture, t);
  const act = isAlone(picture) ? `${output.pose_type}` : `${output.pose_type}-${number}`;
  const image = make("img", { alt: t("picture_of", { view: name }), loading: "lazy", draggable: false, width, height });
  const shown = make(
    "button",
    { type: "button", className: "avatarforge-shown", title: t("view_large"), "data-act": `view-${act}`, draggable: true },
    image,
  );
  shown.addEventListener("click", () => view(picture));
  shown.addEventListener("dragstart", (event) => drag(event, picture, image));
  const download = make("a", {
    className: "avatarforge-button",
    textContent: t("download"),
    download: output.filename,
    "aria-label": t("download_named", { view: name }),
  });
  void client.applyUrl(output.url, (browserUrl) => (image.src = download.href = browserUrl));
  const rerollButton = canReroll(picture)
    ? button(t("reroll"), () => void actions.reroll(picture), {
        disabled: !canRerollNow(generation),
        "aria-label": t("reroll_named", { view: name }),
        "data-act": `reroll-${act}`,
      })
    : null;
  const more = menuButton(t("continue_with"), () => actions.entries(picture), {
    "aria-label": t("continue_named", { view: name }),
    "data-act": `continue-${act}`,
  });
  const waiting = generation.waiting_rerolls.filter(({ position }) => position === number).length;
  return make(
    "figure",
    {},
    shown,
    make(
      "figcaption",
      {},
      make("b", { textContent: name }),
      make("span", { textContent: ` ${width} × ${height}` }),
      generation.reroll_position === number
        ? make("span", { className: "avatarforge-rerolling", textContent: ` ${t("reroll_running")}` })
        : null,
      waiting
        ? make("span", {
            className: "avatarforge-rerolling",
            textContent: ` ${t("reroll_waiting", { count: waiting })}`,
          })
        : null,
    ),
    make("div", { className: "avatarforge-row" }, download, rerollButton, more),
    scoreList(picture, t),
    // Below the buttons, which stay in line with those of the other pictures.
    output.takes > 1 ? takes.show(picture, name) : null,
  );
}

/**
 * @param {Warning[]} details
 * @param {Session} session
 */
export function warnings(details, { t }) {
  return make(
    "section",
    { className: "avatarforge-warnings" },
    make("h3", { textContent: t("warnings") }),
    make("ul", {}, ...details.map((warning) => make("li", { textContent: warningText(warning, t) }))),
  );
}

/**
 * The warning in the user's language, or the server's sentence if there is no text for its code.
 * @param {Warning} warning
 * @param {Translate} t
 */
function warningText({ code, detail, parameters }, t) {
  const { view, views, ...others } = parameters;
  /** @param {unknown} name */
  const label = (name) => viewName(String(name) || null, t);
  const values = {
    .../** @type {Record<string, string | number>} */ (others),
    ...(view === undefined ? {} : { view: label(view) }),
    ...(Array.isArray(views) ? { views: views.map(label).join(t("list_separator")) } : {}),
  };
  return translateIfKnown(`warning_${code}`, values, t) ?? detail;
}

/**
 * The pose and the reference that were used.
 * @param {Parameters} parameters
 * @param {Session} session
 */
export function inputFiles(parameters, { client, editor, t }) {
  /** @type {[FileKind, string | null, string][]} */
  const slots = [
    ["pose", parameters.pose_file_id, t("pose")],
    ["reference", parameters.reference_file_id, t("reference")],
  ];
  const figures = slots.flatMap(([kind, fileId, label]) => {
    if (!fileId) return [];
    const image = make("img", { alt: label, loading: "lazy" });
    image.addEventListener("error", () => (image.hidden = true));
    void client.applyUrl(`/files/${fileId}/thumbnail?size=128`, (browserUrl) => (image.src = browserUrl));
    const insert = editor ? button(t("insert_node"), () => editor.insertNode(kind, fileId)) : null;
    return [make("figure", {}, image, make("figcaption", { textContent: label }), insert)];
  });
  return figures.length ? make("div", { className: "avatarforge-inputs" }, ...figures) : null;
}

/**
 * @param {Parameters} parameters
 * @param {Session} session
 */
export function settings(parameters, { t }) {
  const values = shownSettings(parameters);
  return make(
    "details",
    { className: "avatarforge-settings" },
    make("summary", { textContent: t("all_settings") }),
    make(
      "dl",
      {},
      ...Object.entries(values).flatMap(([name, value]) => [
        make("dt", { textContent: settingName(name, t) }),
        make("dd", { textContent: settingText(name, value, t) }),
      ]),
    ),
  );
}

/**
 * How each input was applied to each view.
 * @param {InputReceipt[]} inputs
 * @param {Session} session
 */
export function receipt(inputs, { t }) {
  return make(
    "details",
    { className: "avatarforge-receipt" },
    make("summary", { textContent: t("receipt") }),
    make(
      "ul",
      {},
      ...inputs.map(({ role, pose_type: view, picture: number, kind, node_type: node, model, strength, steps }) =>
        make(
          "li",
          {},
          make("b", { textContent: ROLES[role]?.(t) ?? role }),
          view ? ` ${viewName(view, t)}` : "",
          number === null ? "" : ` ${number}`,
          ` · ${kind} · ${node} · ${model} · `,
          t("strength_and_steps", { strength, first: steps.first, last: steps.last }),
        ),
      ),
    ),
  );
}
