// The whole panel, the same in the editor's sidebar and on the standalone page.
import { withKey } from "../shared/api_key.mjs";
import { getDragged, isDragged } from "../shared/dragged.mjs";
import { button, hasFiles, make } from "../shared/elements.mjs";
import { errorMessage, statusOf } from "../shared/errors.mjs";
import { Emitter } from "../shared/events.mjs";
import { Detail } from "./detail.mjs";
import { Form } from "./form.mjs";
import { Gallery } from "./gallery.mjs";
import { generationTitle } from "./labels.mjs";
import { PictureActions } from "./picture_actions.mjs";
import { Running } from "./running.mjs";

/** @import { Generation } from "../shared/types.d.ts" */
/** @import { Picture } from "./pictures.mjs" */
/** @import { Notice, Session } from "./session.mjs" */
/** @import { Viewing } from "./viewing.mjs" */
/** @import { Characters } from "../characters/characters.mjs" */
/** @typedef {"create" | "gallery" | "detail" | "characters"} PanelView */

const NOTICE_SECONDS = 8;
const UNAUTHORIZED = 401;

/**
 * Events: "shown": the current view, and the id of the generation in a detail view, or the path in that of characters.
 * @extends {Emitter<{ shown: { view: PanelView, id: string } }>}
 */
export class Panel extends Emitter {
  /** @param {Session} session */
  constructor(session) {
    super();
    const { live, t } = session;
    this.session = session;
    /** @type {PanelView} */
    this.view = "create";
    this.openedId = ""; // the last opened generation
    this.openedFromCharacters = false; // whether the detail view leads back there
    this.charactersPath = ""; // what the view of characters shows
    /** @type {Characters | null} */
    this.characters = null;
    /** @type {Promise<Characters> | null} */
    this.loadingCharacters = null;
    this.finishLoading = () => {};
    /** @type {Promise<void>} */
    this.firstLoad = new Promise((resolve) => {
      this.finishLoading = resolve;
    });
    this.loading = false;
    this.wasDisconnected = false;
    this.askedForKey = false;
    /** @type {Map<string, HTMLElement>} */
    this.undoNotices = new Map();
    const open = (/** @type {string} */ id) => this.open(id);
    this.form = new Form({ session, onSubmitted: (generation) => this.#watchNew(generation), open });
    this.running = new Running({ session, open });
    const compare = (/** @type {Picture} */ first, /** @type {Picture} */ second) => void this.comparePictures(first, second);
    this.gallery = new Gallery({ session, open, compare });
    const showForm = () => this.showForm();
    /** @type {Viewing | null} */
    this.viewing = null; // once it was needed
    this.actions = new PictureActions({
      session,
      form: this.form,
      showForm,
      open,
      edit: ({ generation, output }) => {
        const { parameters } = generation;
        const seed = output.seed ?? parameters?.seed;
        if (parameters && seed !== undefined) this.#useSettings({ ...generation, parameters: { ...parameters, seed } });
      },
    });
    this.detail = new Detail({
      session,
      back: () => this.#leaveDetail(),
      useSettings: (generation) => this.#useSettings(generation),
      actions: this.actions,
      view: (picture) => void this.viewPicture(picture),
      compare: (first, second, others) => void this.comparePictures(first, second, others),
    });
    this.tabs = {
      create: button(t("create"), () => this.show("create")),
      gallery: button(t("gallery"), () => this.show("gallery")),
      characters: button(t("characters"), () => void this.openCharacters()),
    };
    this.tabs.create.classList.add("avatarforge-tab-create");
    this.nav = make("nav", { "aria-label": "AvatarForge" }, ...Object.values(this.tabs));
    this.charactersPlace = make("div", { className: "avatarforge-characters", hidden: true });
    this.announcer = make("p", { className: "avatarforge-announcer", role: "status" });
    this.bannerText = make("p", { className: "avatarforge-banner", hidden: true });
    this.banner = make(
      "div",
      { className: "avatarforge-offline", role: "alert", hidden: true },
      this.bannerText,
      button(t("retry"), () => void this.#retry()),
    );
    this.notices = make("ul", { className: "avatarforge-notices", "aria-label": t("notices") });
    this.element = make(
      "div",
      { className: "avatarforge-panel" },
      make(
        "div",
        { className: "avatarforge-layout" },
        make("header", { className: "avatarforge-head" }, make("h1", { textContent: "AvatarForge" }), this.nav),
        this.banner,
        this.running.element,
        make("div", { className: "avatarforge-create" }, this.form.element),
        make(
          "div",
          { className: "avatarforge-results" },
          this.gallery.element,
          this.detail.element,
          this.charactersPlace,
        ),
      ),
      make("div", { role: "status" }, this.notices),
      this.announcer,
    );
    live.on("state", () => this.#updateBanner());
    session.on("announce", (text) => this.#announce(text));
    session.on("notice", (notice) => this.#showNotice(notice));
    session.on("pending", (id) => this.#updateUndo(id));
    session.on("deleted", (id) => this.#removeUndo(id));
    for (const name of /** @type {const} */ (["dragover", "drop"]))
      this.element.addEventListener(name, (event) => {
        // A picture dropped outside a slot must not navigate away from the page.
        if (!hasFiles(event.dataTransfer) && !isDragged(event.dataTransfer)) return;
        event.preventDefault();
        event.stopPropagation();
        if (event.type === "drop") void this.#handleDrop(event.dataTransfer);
      });
    this.element.addEventListener("paste", (event) => this.paste(event));
    this.show("create", false);
  }

  /** Load the data of the panel, and ask the user for the key if the server requires one. */
  async load() {
    const { client, live, t } = this.session;
    if (this.loading) return;
    this.loading = true;
    try {
      await withKey(client, t, () => this.form.load());
      live.retryNow();
    } catch {
      // The banner shows the reason.
    } finally {
      this.loading = false;
      this.finishLoading();
    }
    await this.gallery.load();
  }

  /**
   * Show a view. A wide panel always shows the form next to the gallery or the detail view.
   * @param {PanelView} view
   * @param {boolean} focus whether to move the focus there
   */
  show(view, focus = true) {
    this.view = view;
    this.element.dataset.view = view;
    this.gallery.element.hidden = view === "detail" || view === "characters";
    this.detail.element.hidden = view !== "detail";
    this.charactersPlace.hidden = view !== "characters";
    if (view !== "characters") this.characters?.close();
    for (const [name, tab] of Object.entries(this.tabs)) {
      if (name === view) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    if (view !== "detail") this.detail.close();
    if (focus && view === "create") this.form.focus();
    const ids = { detail: this.openedId, characters: this.charactersPath, create: "", gallery: "" };
    this.emit("shown", { view, id: ids[view] });
  }

  /**
   * Show the saved characters.
   * @param {string} path as for Characters.show
   */
  async openCharacters(path = "") {
    this.charactersPath = path;
    this.show("characters");
    await this.firstLoad; // it asks for the key, if the server requires one
    const characters = await this.#getCharacters().catch(() => null);
    if (!characters) this.session.notify(this.session.t("unreachable"));
    else if (this.view === "characters" && this.charactersPath === path) await characters.show(path);
  }

  /** The view of characters. Its scripts are loaded when it is first shown. */
  #getCharacters() {
    this.loadingCharacters ??= this.#loadCharacters();
    return this.loadingCharacters;
  }

  async #loadCharacters() {
    try {
      const module = await import("../characters/characters.mjs");
      const characters = new module.Characters({
        session: this.session,
        open: (id) => this.open(id),
        go: (path) => void this.openCharacters(path),
      });
      this.charactersPlace.append(characters.element);
      this.characters = characters;
      return characters;
    } catch (error) {
      this.loadingCharacters = null; // the next attempt loads it again
      throw error;
    }
  }

  /** Bring the form to the front. A wide panel shows it anyway, beside what the user is looking at. */
  showForm() {
    if (!this.#isWide()) this.show("create", false);
  }

  /**
   * Show one generation in detail.
   * @param {string} id
   */
  open(id) {
    const { t } = this.session;
    if (this.view !== "detail") this.openedFromCharacters = this.view === "characters";
    const source = this.charactersPath.includes("/") ? t("back_to_matrix") : t("back_to_character");
    this.detail.backButton.textContent = this.openedFromCharacters ? source : t("back");
    this.openedId = id;
    const cached = this.gallery.tiles.get(id)?.generation ?? null;
    this.show("detail", false);
    void this.detail.open(id, cached);
  }

  /**
   * Show a picture large.
   * @param {Picture} picture
   */
  async viewPicture(picture) {
    await (await this.#loadViewing())?.viewer.open(picture);
  }

  /**
   * Compare two pictures, such as two that were chosen in the gallery.
   * @param {Picture} first
   * @param {Picture} second
   * @param {Picture[]} others that can take the place of one of them
   */
  async comparePictures(first, second, others = [first, second]) {
    await (await this.#loadViewing())?.compare.open(first, others, second);
  }

  /** Viewer, comparison and reading of dropped pictures. They are loaded when they are needed first. */
  async #loadViewing() {
    const { session } = this;
    try {
      const { createViewing } = await import("./viewing.mjs");
      this.viewing ??= createViewing(this);
    } catch {
      session.notify(session.t("unreachable"));
    }
    return this.viewing;
  }

  /**
   * A picture that was dropped outside the slots: its settings are offered, if it has some.
   * @param {DataTransfer | null} transfer can be read only before the first await
   */
  async #handleDrop(transfer) {
    const { session } = this;
    const ours = isDragged(transfer);
    const picture = getDragged(transfer);
    const file = ours ? null : (transfer?.files[0] ?? null);
    const viewing = await this.#loadViewing();
    if (!viewing) return;
    if (picture) await viewing.restore.dropPicture(picture);
    else if (!file || !(await viewing.restore.dropFile(file))) session.notify(session.t("drop_onto"));
  }

  /**
   * Use a picture that was pasted outside the slots as the reference. A pose must be pasted into its slot.
   * @param {ClipboardEvent} event
   */
  paste(event) {
    const { t } = this.session;
    if (this.view !== "create" && !this.#isWide()) return;
    if (this.form.slots.reference.paste(event)) this.session.announce(t("pasted_reference"));
  }

  #isWide() {
    return getComputedStyle(this.tabs.create).display === "none";
  }

  /** @param {Generation} generation */
  #watchNew(generation) {
    const { live, t } = this.session;
    live.watch(generation);
    this.session.announce(t("accepted"));
  }

  /** @param {Generation} generation */
  #useSettings(generation) {
    const { session } = this;
    const restore = this.form.fill(generation);
    session.notify(session.t("settings_used"), session.t("undo"), restore);
    if (this.#isWide()) this.form.focus(); // the form is beside what is shown
    else this.show("create");
  }

  async #retry() {
    await this.load();
    this.session.live.retryNow();
  }

  #leaveDetail() {
    if (this.openedFromCharacters) void this.openCharacters(this.charactersPath);
    else this.#backToGallery();
  }

  #backToGallery() {
    const id = this.openedId;
    this.show("gallery");
    this.gallery.focus(id);
  }

  /** @param {string} id */
  #updateUndo(id) {
    const { session } = this;
    const { t } = session;
    const pending = session.pendingDeletes.get(id);
    if (!pending) {
      this.#removeUndo(id);
      return;
    }
    if (this.view === "detail" && this.openedId === id) this.#leaveDetail();
    const item = this.#addNotice(t("deleted", { name: generationTitle(pending.generation, t) }), t("undo"), () => {
      session.undoDelete(id);
      this.gallery.focus(id);
    });
    whileUsed(
      item,
      () => session.pauseDelete(id),
      () => session.resumeDelete(id),
    );
    this.undoNotices.set(id, item);
  }

  /** @param {string} id */
  #removeUndo(id) {
    this.undoNotices.get(id)?.remove();
    this.undoNotices.delete(id);
  }

  /** @param {Notice} notice */
  #showNotice({ text, label, action }) {
    const item = this.#addNotice(text, label, () => {
      item.remove();
      action?.();
    });
    /** @type {number | undefined} */
    let timer;
    const start = () => (timer = setTimeout(() => item.remove(), NOTICE_SECONDS * 1000));
    whileUsed(item, () => clearTimeout(timer), start);
    start();
  }

  /**
   * @param {string} text
   * @param {string} label of its button; "" for none
   * @param {() => void} action
   */
  #addNotice(text, label, action) {
    const item = make("li", {}, make("span", { textContent: text }), label ? button(label, action) : null);
    this.notices.append(item);
    return item;
  }

  #updateBanner() {
    const { live, t } = this.session;
    const disconnected = live.state === "offline" || live.state === "refused";
    if (disconnected) this.bannerText.textContent = live.state === "offline" ? t("offline") : errorMessage(live.refusal, t);
    this.banner.hidden = this.bannerText.hidden = !disconnected;
    if (!disconnected && this.wasDisconnected) {
      this.#announce(t("back_again"));
      void this.load();
      if (this.view === "characters") void (this.characters?.reload() ?? this.openCharacters(this.charactersPath));
    }
    this.wasDisconnected = disconnected;
    // The server may have got a key meanwhile. It is asked for once; the button of the banner asks again. Nobody is
    // asked while the sidebar is closed.
    const needsKey = live.state === "refused" && statusOf(live.refusal) === UNAUTHORIZED && this.element.isConnected;
    if (needsKey && !this.askedForKey) void this.load();
    this.askedForKey = needsKey;
  }

  /** @param {string} text */
  #announce(text) {
    // Screen readers repeat a sentence only if the element changes.
    this.announcer.textContent = this.announcer.textContent === text ? `${text}\u00a0` : text;
  }
}

/**
 * Call `pause` when the focus or the pointer enters a notice, and `resume` when it leaves, so that there is time to
 * use its button.
 * @param {HTMLElement} notice
 * @param {() => void} pause
 * @param {() => void} resume
 */
function whileUsed(notice, pause, resume) {
  for (const name of ["focusin", "mouseenter"]) notice.addEventListener(name, pause);
  for (const name of ["focusout", "mouseleave"]) notice.addEventListener(name, resume);
}
