// The guide to the models: which files suit which GPU memory, and where they come from.
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";

/** @import { GuideChoice, ModelGuide } from "../shared/types.d.ts" */
/** @import { Session } from "./session.mjs" */

/** @param {GuideChoice} choice */
const sizeOf = ({ files }) => files.reduce((sum, { size }) => sum + (size ?? 0), 0);

export class ModelGuideView {
  /**
   * @param {Session} session
   * @param {() => void} check looks for models again
   */
  constructor(session, check) {
    const { t } = session;
    this.session = session;
    this.isLoaded = false;
    this.best = make("span", { className: "avatarforge-guide-best" }); // stands in for the list while that is closed
    this.gpu = make("p", {});
    this.list = make("ul", { className: "avatarforge-guide-choices", "aria-label": t("guide") });
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.element = make(
      "details",
      { className: "avatarforge-guide" },
      make("summary", {}, t("guide"), this.best),
      make("p", { className: "avatarforge-hint", textContent: t("guide_hint") }),
      this.gpu,
      this.list,
      make("div", { className: "avatarforge-row" }, button(t("guide_check"), check)),
      this.status,
    );
    void this.load();
  }

  /**
   * @param {string} text
   * @param {boolean} failed
   */
  setStatus(text, failed = false) {
    setStatus(this.status, text, failed);
  }

  /** Nothing to do if it is there already. */
  async load() {
    const { client, t } = this.session;
    if (this.isLoaded) return;
    try {
      this.#show(await client.getModelGuide());
      this.isLoaded = true;
    } catch (error) {
      this.setStatus(errorMessage(error, t), true);
    }
  }

  /** @param {ModelGuide} guide */
  #show({ gpu, choices }) {
    const { t } = this.session;
    this.gpu.textContent = gpu
      ? t("guide_gpu", { name: gpu.name, memory: formatGigabytes(gpu.memory) })
      : t("guide_no_gpu");
    // The largest that fits is what most people want.
    const best = [...choices].reverse().find(({ fits }) => fits);
    const size = best ? t("guide_total", { size: formatGigabytes(sizeOf(best)) }) : "";
    this.best.textContent = best ? t("setting_is", { name: t("guide_best"), value: `${best.label} · ${size}` }) : "";
    this.list.replaceChildren(...choices.map((choice) => this.#choice(choice, choice === best)));
  }

  /**
   * @param {GuideChoice} choice
   * @param {boolean} isBest
   */
  #choice(choice, isBest) {
    const { t } = this.session;
    const { fits, files, label, memory } = choice;
    const notes = [
      t("guide_memory", { memory: formatGigabytes(memory) }),
      t("guide_total", { size: formatGigabytes(sizeOf(choice)) }),
    ];
    const mark = isBest ? t("guide_best") : fits === false ? t("guide_too_large") : "";
    return make(
      "li",
      {},
      make(
        "details",
        { open: isBest },
        make(
          "summary",
          {},
          label,
          make("span", { className: "avatarforge-guide-memory", textContent: formatGigabytes(memory) }),
          mark ? make("span", { className: "avatarforge-mark", textContent: mark }) : null,
        ),
        make("p", { className: "avatarforge-line", textContent: notes.join(" · ") }),
        make("ul", { className: "avatarforge-guide-files" }, ...files.map((file) => this.#file(file))),
      ),
    );
  }

  /** @param {GuideChoice["files"][number]} file */
  #file({ folder, name, page, size }) {
    const { t } = this.session;
    const site = new URL(page);
    return make(
      "li",
      {},
      make("code", { textContent: `models/${folder}/${name}` }),
      size === null ? " " : ` ${formatGigabytes(size)} · `,
      make("a", {
        href: page,
        target: "_blank",
        rel: "noopener noreferrer",
        textContent: `${site.host}${site.pathname}`,
        title: t("guide_page"),
      }),
    );
  }
}

/** @param {number} value gigabytes */
function formatGigabytes(value) {
  return `${Number(value.toPrecision(3))} GB`;
}
