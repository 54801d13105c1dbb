// One generation: its pictures, what was done with what was given, every setting, and what can be done next.
import { button, make } from "../picker/elements.mjs";
import { kindName, progressText, seconds, statusMark, titleOf, viewName, when } from "./cards.mjs";
import { curlOf } from "./curl.mjs";
import { hasEnded } from "./live.mjs";
import { showPreviews } from "./running.mjs";

const SETTINGS = {
  prompt: (words) => words("prompt"),
  clothing: (words) => words("clothing"),
  style: (words) => words("style"),
  realism: (words) => words("look"),
  negative_prompt: (words) => words("negative_prompt"),
  width: (words) => words("width"),
  height: (words) => words("height"),
  steps: (words) => words("steps"),
  cfg: (words) => words("cfg"),
  sampler: (words) => words("sampler"),
  scheduler: (words) => words("scheduler"),
  seed: (words) => words("seed"),
  checkpoint: (words) => words("checkpoint"),
  pose_strength: (words) => words("pose_strength"),
  pose_mode: (words) => words("pose_mode"),
  reference_strength: (words) => words("reference_strength"),
  consistency: (words) => words("consistency"),
  turnaround: (words) => words("turnaround"),
};
const ROLES = {
  pose: (words) => words("pose"),
  reference: (words) => words("reference"),
  view: (words) => words("role_view"),
  anchor: (words) => words("role_anchor"),
};

export class Detail {
  /** `back()` leaves, `again(generation)` puts its settings into the form. */
  constructor({ session, back, again }) {
    Object.assign(this, { session, back, again, id: "", drawn: "", asked: 0 });
    const { live, words } = session;
    this.heading = make("h2", { tabIndex: -1, className: "avatarforge-heading" });
    this.body = make("div", { className: "avatarforge-detail-body" });
    this.element = make(
      "section",
      { className: "avatarforge-detail", "aria-label": words("details") },
      make("div", { className: "avatarforge-row" }, button(words("back"), () => this.back())),
      this.heading,
      this.body,
    );
    live.addEventListener("change", ({ detail }) => this.#follow(detail));
    live.addEventListener("gone", ({ detail }) => this.#left(detail));
    session.addEventListener("removed", ({ detail }) => this.#left(detail));
  }

  /** Show a generation: as it is known, and then as it is. */
  async open(id, known = null) {
    const { client, live, words } = this.session;
    const turn = ++this.asked;
    this.id = id;
    this.drawn = "";
    this.heading.textContent = "";
    this.body.replaceChildren(make("p", { className: "avatarforge-status", textContent: words("loading") }));
    const first = live.active.get(id) ?? known;
    if (first) this.#draw(first);
    this.heading.focus();
    try {
      const generation = await client.generation(id);
      if (turn !== this.asked) return;
      if (hasEnded(generation)) this.#draw(generation);
      else live.watch(generation);
    } catch (error) {
      if (turn !== this.asked) return;
      this.body.replaceChildren(
        make("p", { className: "avatarforge-error", role: "alert", textContent: error.detail || words("unreachable") }),
        button(words("retry"), () => void this.open(id, known)),
      );
    }
  }

  close() {
    this.id = "";
    this.asked++;
  }

  #follow(generation) {
    if (generation.generation_id === this.id) this.#draw(generation);
  }

  #left(id) {
    if (id === this.id) this.back();
  }

  #draw(generation) {
    this.generation = generation;
    const { words } = this.session;
    const { status, output_files: outputs, reroll, warnings, inputs, error } = generation;
    // What changes ten times a second must not rebuild what the user is reading.
    const what = JSON.stringify([status, outputs, reroll, warnings, inputs.length, error]);
    if (what !== this.drawn) {
      this.drawn = what;
      const focused = document.activeElement?.dataset?.act;
      const inside = this.body.contains(document.activeElement);
      this.heading.textContent = titleOf(generation, words);
      this.body.replaceChildren(...this.#parts(generation));
      if (inside) (this.body.querySelector(`[data-act="${focused}"]`) ?? this.heading).focus();
    }
    if (hasEnded(generation)) return;
    this.text.textContent = progressText(generation, words);
    if (generation.progress !== undefined && generation.progress !== null) this.bar.value = generation.progress;
    else if (status === "processing") this.bar.removeAttribute("value");
    showPreviews(this.previews, generation, this.session);
  }

  #parts(generation) {
    const { words } = this.session;
    const { error, warnings } = generation;
    return [
      this.#line(generation),
      hasEnded(generation) ? null : this.#progress(),
      error ? make("p", { className: "avatarforge-alert", textContent: error }) : null,
      this.#pictures(generation),
      this.#actions(generation),
      warnings.length
        ? make(
            "section",
            { className: "avatarforge-warnings" },
            make("h3", { textContent: words("warnings") }),
            make("ul", {}, ...warnings.map((textContent) => make("li", { textContent }))),
          )
        : null,
      generation.parameters ? this.#files(generation.parameters) : null,
      generation.parameters ? this.#settings(generation.parameters) : null,
      generation.inputs.length ? this.#receipt(generation.inputs) : null,
    ].filter(Boolean);
  }

  #line(generation) {
    const { locale, words } = this.session;
    const { created_at: created, started_at: started, completed_at: completed } = generation;
    const took = started && completed ? (new Date(completed) - new Date(started)) / 1000 : null;
    return make(
      "p",
      { className: "avatarforge-line" },
      statusMark(generation, words),
      ` ${kindName(generation, words)} · ${when(created, locale)}`,
      took === null ? "" : ` · ${words("took", { time: seconds(took, words) })}`,
    );
  }

  #progress() {
    const { words } = this.session;
    this.bar = make("progress", { max: 1, value: 0, "aria-label": words("progress") });
    this.text = make("p", { className: "avatarforge-progress-text" });
    this.previews = make("div", { className: "avatarforge-previews" });
    return make("div", { className: "avatarforge-live" }, this.bar, this.text, this.previews);
  }

  #pictures(generation) {
    const { words } = this.session;
    const { output_files: outputs, kind } = generation;
    if (!outputs.length) return null;
    const busy = !hasEnded(generation);
    return make(
      "div",
      { className: "avatarforge-pictures" },
      ...outputs.map((output) => {
        const name = viewName(output.pose_type, words);
        const picture = make("img", { alt: words("picture_of", { view: name }), loading: "lazy" });
        picture.width = output.dimensions.width;
        picture.height = output.dimensions.height;
        const link = make("a", { target: "_blank", rel: "noopener", title: words("open_picture") }, picture);
        const save = make("a", {
          className: "avatarforge-button",
          textContent: words("download"),
          download: output.filename,
          "aria-label": words("download_named", { view: name }),
        });
        void this.session.client.show(output.url, (address) => {
          link.href = save.href = address;
          // The address of a view stays when it is made anew; a browser would show the old one again.
          picture.src = address.includes("?") ? address : `${address}?seed=${output.seed ?? ""}`;
        });
        const { width, height } = output.dimensions;
        const anew =
          kind !== "graph" && output.pose_type
            ? button(words("reroll"), () => void this.#act(`reroll?pose=${output.pose_type}`), {
                disabled: busy,
                "aria-label": words("reroll_named", { view: name }),
                "data-act": `reroll-${output.pose_type}`,
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
            generation.reroll && generation.reroll === output.pose_type
              ? make("span", { className: "avatarforge-again", textContent: ` ${words("made_anew")}` })
              : null,
          ),
          make("div", { className: "avatarforge-row" }, save, anew),
        );
      }),
    );
  }

  #actions(generation) {
    const { client, editor, words } = this.session;
    const ended = hasEnded(generation);
    const curl = curlOf(generation, client);
    const act = (name, label, work, properties = {}) => button(label, work, { "data-act": name, ...properties });
    return make(
      "div",
      { className: "avatarforge-row avatarforge-acts" },
      ended ? null : act("cancel", words("cancel"), () => void this.#act("cancel")),
      generation.status === "failed" && generation.kind !== "graph"
        ? act("retry", words("run_again"), () => void this.#act("retry"))
        : null,
      generation.parameters ? act("again", words("use_settings"), () => this.again(generation)) : null,
      curl ? act("curl", words("copy_curl"), () => void this.#copy(curl)) : null,
      editor && generation.kind !== "graph"
        ? act("graph", words("open_graph"), () => void this.#openGraph(generation))
        : null,
      act("delete", words("delete"), () => this.session.remove(generation), {
        className: "avatarforge-button avatarforge-danger",
      }),
    );
  }

  #files(parameters) {
    const { client, editor, words } = this.session;
    const given = [
      ["pose", parameters.pose_file_id, words("pose")],
      ["reference", parameters.reference_file_id, words("reference")],
    ].filter(([, fileId]) => fileId);
    if (!given.length) return null;
    return make(
      "div",
      { className: "avatarforge-given" },
      ...given.map(([kind, fileId, label]) => {
        const picture = make("img", { alt: label, loading: "lazy" });
        picture.addEventListener("error", () => (picture.hidden = true));
        void client.show(`/files/${fileId}/thumbnail?size=128`, (address) => (picture.src = address));
        return make(
          "figure",
          {},
          picture,
          make("figcaption", { textContent: label }),
          editor ? button(words("insert_node"), () => editor.insertNode(kind, fileId)) : null,
        );
      }),
    );
  }

  #settings(parameters) {
    const { words } = this.session;
    const shown = { ...parameters, realism: parameters.realism ? words("realistic") : words("anime") };
    const rows = Object.entries(SETTINGS).filter(([name]) => shown[name] !== null && shown[name] !== undefined);
    return make(
      "details",
      { className: "avatarforge-settings" },
      make("summary", { textContent: words("every_setting") }),
      make(
        "dl",
        {},
        ...rows.flatMap(([name, label]) => [
          make("dt", { textContent: label(words) }),
          make("dd", { textContent: String(shown[name]) }),
        ]),
      ),
    );
  }

  #receipt(inputs) {
    const { words } = this.session;
    return make(
      "details",
      { className: "avatarforge-receipt" },
      make("summary", { textContent: words("receipt") }),
      make(
        "ul",
        {},
        ...inputs.map(({ role, pose_type: view, kind, node_type: node, model, strength, steps }) =>
          make(
            "li",
            {},
            make("b", { textContent: ROLES[role]?.(words) ?? role }),
            view ? ` ${viewName(view, words)}` : "",
            ` · ${kind} · ${node} · ${model} · `,
            words("strength_and_steps", { strength, first: steps.first, last: steps.last }),
          ),
        ),
      ),
    );
  }

  async #act(what) {
    const { client, live, words } = this.session;
    try {
      const generation = await client.act(this.id, what);
      live.watch(generation);
      // A retry may be a generation of its own.
      if (generation.generation_id !== this.id) await this.open(generation.generation_id, generation);
    } catch (error) {
      this.session.notice(error.detail || words("unreachable"));
    }
  }

  async #copy(text) {
    const { words } = this.session;
    if (await copied(text, this.element)) this.session.notice(words("copied"));
    else this.session.notice(words("not_copied"));
  }

  async #openGraph(generation) {
    const { editor, words } = this.session;
    try {
      await editor.openGraph(generation);
    } catch (error) {
      this.session.notice(error.detail || words("unreachable"));
    }
  }
}

/** Put a text onto the clipboard; whether it went. Pages over plain http have the old way only, which needs a
 * field in the page: it lies in `parent` for a moment. */
async function copied(text, parent) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { value: text, readOnly: true });
    parent.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
