// The sections of one generation: pictures, warnings, input files, settings and receipt.
import { button, make } from "../shared/elements.mjs";
import { translateIfKnown } from "../shared/i18n.mjs";
import { formatDuration, formatTime, hasEnded, kindName, statusBadge, viewName } from "./labels.mjs";

/** @import { FileKind, Generation, InputReceipt, OutputFile, Parameters, Translate, Warning } from "../shared/types.d.ts" */
/** @import { Labels } from "./labels.mjs" */
/** @import { Session } from "./session.mjs" */
/** @import { TakeStrips } from "./takes.mjs" */

/** What the API names in place of a model for pictures that were drawn without one. */
const DRAWN = "Paper doll";

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
  const { created_at: created, started_at: started, completed_at: completed, parameters } = generation;
  const seconds = started && completed ? (Date.parse(completed) - Date.parse(started)) / 1000 : null;
  return make(
    "p",
    { className: "avatarforge-line" },
    statusBadge(generation, t),
    ` ${kindName(generation, t)} · ${formatTime(created, locale)}`,
    seconds === null ? "" : ` · ${t("took", { time: formatDuration(seconds, t) })}`,
    parameters?.checkpoint === DRAWN ? ` · ${t("drawn_by_doll")}` : "",
  );
}

/**
 * @param {Generation} generation
 * @param {Session} session
 * @param {(number: number) => void} reroll gets the number of the picture, from 1
 * @param {TakeStrips} takes
 */
export function pictures(generation, session, reroll, takes) {
  const { output_files: outputs } = generation;
  if (!outputs.length) return null;
  return make(
    "div",
    { className: "avatarforge-pictures" },
    ...outputs.map((output, index) => picture(output, index + 1, generation, session, reroll, takes)),
  );
}

/**
 * @param {OutputFile} output
 * @param {number} number of the picture, from 1
 * @param {Generation} generation
 * @param {Session} session
 * @param {(number: number) => void} reroll gets the number of the picture, from 1
 * @param {TakeStrips} takes
 */
function picture(output, number, generation, session, reroll, takes) {
  const { client, t } = session;
  const { pose_type: view, expression } = output;
  const { width, height } = output.dimensions;
  // A drawn face fits into its picture with the seed of that only.
  const keepsSeed = generation.inputs.some(({ role, model }) => role === "source" && model === DRAWN);
  const alone = generation.output_files.filter((other) => other.pose_type === view).length === 1;
  const name = expression ?? (alone ? viewName(view, t) : `${viewName(view, t)} ${number}`);
  const image = make("img", { alt: t("picture_of", { view: name }), loading: "lazy", width, height });
  const link = make("a", { target: "_blank", rel: "noopener", title: t("open_picture") }, image);
  const download = make("a", {
    className: "avatarforge-button",
    textContent: t("download"),
    download: output.filename,
    "aria-label": t("download_named", { view: name }),
  });
  void client.applyUrl(output.url, (browserUrl) => {
    link.href = download.href = browserUrl;
    // A re-roll keeps the URL of a view, so without the seed a browser could show the old picture from its cache.
    image.src = browserUrl.includes("?") ? browserUrl : `${browserUrl}?seed=${output.seed ?? ""}`;
  });
  // While one picture is made again, more can be asked for: they wait for their turn.
  const canBeRerolled = hasEnded(generation) || generation.reroll_position !== null;
  const waiting = generation.waiting_rerolls.filter(({ position }) => position === number).length;
  const rerollButton =
    generation.kind !== "graph" && (view || expression) && !keepsSeed
      ? button(t("reroll"), () => reroll(number), {
          disabled: !canBeRerolled,
          "aria-label": t("reroll_named", { view: name }),
          "data-act": alone ? `reroll-${view}` : `reroll-${view}-${number}`,
        })
      : null;
  return make(
    "figure",
    {},
    link,
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
    output.takes > 1 ? takes.show(generation, number, name) : null,
    make("div", { className: "avatarforge-row" }, download, rerollButton),
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
  /** @type {Record<string, unknown>} */
  const values = { ...parameters };
  if (values.model) delete values.checkpoint; // the same under its older name
  const shown = Object.keys(values).filter((name) => !name.endsWith("_file_id") && values[name] !== null);
  /** @param {string} name */
  const text = (name) =>
    name === "model" && values[name] === DRAWN
      ? t("paper_doll")
      : (translateIfKnown(`${name}_${values[name]}`, {}, t) ?? String(values[name]));
  return make(
    "details",
    { className: "avatarforge-settings" },
    make("summary", { textContent: t("all_settings") }),
    make(
      "dl",
      {},
      ...shown.flatMap((name) => [
        make("dt", { textContent: translateIfKnown(name, {}, t) ?? name }),
        make("dd", { textContent: text(name) }),
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
