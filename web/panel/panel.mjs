// The panel: what to make, what is being made, what was made. The same in the editor's sidebar and as a page.
import { button, make } from "../picker/elements.mjs";
import { withKey } from "../picker/key.mjs";
import { titleOf } from "./cards.mjs";
import { Detail } from "./detail.mjs";
import { Form } from "./form.mjs";
import { Gallery } from "./gallery.mjs";
import { Running } from "./running.mjs";
import { bringsFiles } from "./slots.mjs";

const NOTICE_SECONDS = 8;

/** Events: "shown" (detail: {view, id}). */
export class Panel extends EventTarget {
  constructor(session) {
    super();
    this.session = session;
    const { live, words } = session;
    this.view = "create";
    this.opened = "";
    this.form = new Form({ session, submitted: (generation) => this.#submitted(generation) });
    const open = (id) => this.open(id);
    this.running = new Running({ session, open });
    this.gallery = new Gallery({ session, open });
    this.detail = new Detail({
      session,
      back: () => this.#back(),
      again: (generation) => this.#use(generation),
    });
    this.tabs = {
      create: button(words("create"), () => this.show("create")),
      gallery: button(words("gallery"), () => this.show("gallery")),
    };
    this.said = make("p", { className: "avatarforge-said", role: "status" });
    this.banner = make("p", { className: "avatarforge-banner", hidden: true });
    this.retry = button(words("retry"), () => void this.#again());
    this.warning = make(
      "div",
      { className: "avatarforge-offline", role: "alert", hidden: true },
      this.banner,
      this.retry,
    );
    this.notices = make("ul", { className: "avatarforge-notices", "aria-label": words("notices") });
    this.element = make(
      "div",
      { className: "avatarforge-panel" },
      make(
        "div",
        { className: "avatarforge-layout" },
        make(
          "header",
          { className: "avatarforge-head" },
          make("h1", { textContent: "AvatarForge" }),
          make("nav", { "aria-label": "AvatarForge" }, this.tabs.create, this.tabs.gallery),
        ),
        this.warning,
        this.running.element,
        make("div", { className: "avatarforge-create" }, this.form.element),
        make("div", { className: "avatarforge-made" }, this.gallery.element, this.detail.element),
      ),
      make("div", { role: "status" }, this.notices),
      this.said,
    );
    live.addEventListener("state", () => this.#reach());
    session.addEventListener("said", ({ detail }) => this.#say(detail));
    session.addEventListener("notice", ({ detail }) => this.#notice(detail));
    session.addEventListener("removal", ({ detail }) => this.#leaving(detail));
    session.addEventListener("removed", ({ detail }) => this.undos?.get(detail)?.remove());
    this.undos = new Map();
    for (const kind of ["dragover", "drop"])
      this.element.addEventListener(kind, (event) => {
        // A picture that misses its slot must not take the user away from here.
        if (!bringsFiles(event.dataTransfer)) return;
        event.preventDefault();
        event.stopPropagation();
        if (event.type === "drop") session.notice(words("drop_onto"));
      });
    this.element.addEventListener("paste", (event) => this.paste(event));
    this.show("create", false);
    this.loaded = false;
  }

  /** Ask the server for what the panel shows, and the user for the key if it wants one. */
  async load() {
    const { client, live, words } = this.session;
    if (this.loading) return;
    this.loading = true;
    try {
      await withKey(client, words, () => this.form.load());
      this.loaded = true;
      live.again();
    } catch {
      this.loaded = false; // the banner says why
    } finally {
      this.loading = false;
    }
    await this.gallery.show();
  }

  /** Show create, gallery or detail. In a wide panel the form stays beside the other two. */
  show(view, focus = true) {
    this.view = view;
    this.element.dataset.view = view;
    this.gallery.element.hidden = view === "detail";
    this.detail.element.hidden = view !== "detail";
    for (const [name, tab] of Object.entries(this.tabs)) {
      if (name === view) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    if (view !== "detail") this.detail.close();
    if (focus && view === "create") this.form.focus();
    this.dispatchEvent(new CustomEvent("shown", { detail: { view, id: view === "detail" ? this.opened : "" } }));
  }

  /** Show one generation. */
  open(id) {
    this.opened = id;
    const known = this.gallery.tiles.get(id)?.generation ?? null;
    this.show("detail", false);
    void this.detail.open(id, known);
  }

  /** A picture pasted where no slot has the focus is a reference: a pose is put into its slot on purpose. */
  paste(event) {
    if (this.view !== "create" && !this.#isWide()) return;
    if (this.form.slots.reference.paste(event)) this.session.say(this.session.words("pasted_reference"));
  }

  #isWide() {
    return getComputedStyle(this.tabs.create.parentElement).display === "none";
  }

  #submitted(generation) {
    this.session.live.watch(generation);
    this.session.say(this.session.words("accepted"));
  }

  #use(generation) {
    this.form.fill(generation);
    this.show("create");
  }

  async #again() {
    await this.load();
    this.session.live.again();
  }

  #back() {
    const id = this.opened;
    this.show("gallery");
    this.gallery.focus(id);
  }

  #leaving(id) {
    const { session } = this;
    const entry = session.leaving.get(id);
    if (!entry) {
      this.undos.get(id)?.remove();
      this.undos.delete(id);
      return;
    }
    if (this.view === "detail" && this.opened === id) this.#back();
    const text = session.words("deleted", { name: titleOf(entry.generation, session.words) });
    const item = this.#item(text, session.words("undo"), () => {
      session.keep(id);
      this.gallery.focus(id);
    });
    // Who is at the button gets the time that it takes.
    for (const [kind, held] of Object.entries({ focusin: true, mouseenter: true, focusout: false, mouseleave: false }))
      item.addEventListener(kind, () => session.hold(id, held));
    this.undos.set(id, item);
  }

  #notice({ text, label, action }) {
    const item = this.#item(text, label, () => {
      item.remove();
      action();
    });
    let timer;
    const start = () => (timer = setTimeout(() => item.remove(), NOTICE_SECONDS * 1000));
    for (const kind of ["focusin", "mouseenter"]) item.addEventListener(kind, () => clearTimeout(timer));
    for (const kind of ["focusout", "mouseleave"]) item.addEventListener(kind, start);
    start();
  }

  #item(text, label, action) {
    const item = make("li", {}, make("span", { textContent: text }), label ? button(label, action) : null);
    this.notices.append(item);
    return item;
  }

  #reach() {
    const { live, words } = this.session;
    const away = live.state === "offline" || live.state === "refused";
    const text = live.state === "offline" ? words("offline") : live.reason;
    if (away) this.banner.textContent = text;
    this.warning.hidden = this.banner.hidden = !away;
    this.element.classList.toggle("avatarforge-away", away);
    if (!away && this.wasAway) {
      this.#say(words("back_again"));
      void this.load();
    }
    this.wasAway = away;
  }

  #say(text) {
    // The same sentence twice is spoken twice only if the region changes.
    this.said.textContent = this.said.textContent === text ? `${text}\u00a0` : text;
  }
}
