// The panel in ComfyUI's editor: sidebar tab, badge, toasts, commands, settings, graph. It uses only the frontend's
// API for extensions.
import { getDragged, isDragged } from "../shared/dragged.mjs";
import { failureText, generationTitle, wasCancelled } from "./labels.mjs";
import { Session, UNDO_SECONDS } from "./session.mjs";
import { ACTIONS } from "./shortcuts.mjs";

/** @import { ApiClient } from "./client.mjs" */
/** @import { ComfyApp, DraggedPicture, Extension, ExtensionManager, Translate } from "../shared/types.d.ts" */
/** @import { Panel } from "./panel.mjs" */

const TAB = "avatarforge";
const NODES = { pose: "AvatarForgeLoadPose", reference: "AvatarForgeLoadReference" };
const LOAD_VIEW = "AvatarForgeLoadView";
const FIT_VIEW = "Comfy.Canvas.FitView"; // a command of the editor
const TOAST = 6000; // ms
const [ALL, FAILED, NONE] = ["all", "failed", "none"];

const TOASTS = "AvatarForge.Toasts";
const BADGE = "AvatarForge.Badge";
const UNDO = "AvatarForge.UndoSeconds";

// Names and tooltips are English here; locales/ translates them by these ids.
export const SETTINGS = [
  {
    id: TOASTS,
    category: ["AvatarForge", "Panel", "Toasts"],
    name: "Notify when a generation ends",
    tooltip: "Shows a message in the corner of the editor, even if the panel is closed.",
    type: "combo",
    options: [
      { text: "Finished and failed", value: ALL },
      { text: "Failed only", value: FAILED },
      { text: "Never", value: NONE },
    ],
    defaultValue: ALL,
  },
  {
    id: BADGE,
    category: ["AvatarForge", "Panel", "Badge"],
    name: "Show the number of running generations on the sidebar icon",
    type: "boolean",
    defaultValue: true,
  },
  {
    id: UNDO,
    category: ["AvatarForge", "Panel", "UndoSeconds"],
    name: "Seconds in which a deletion can be undone",
    tooltip: "The generation is deleted after this time, or when the editor is closed.",
    type: "slider",
    attrs: { min: 3, max: 60, step: 1 },
    defaultValue: UNDO_SECONDS,
  },
];

/**
 * @param {ComfyApp} app
 * @param {() => Sidebar | null} getSidebar the sidebar, once the editor is set up
 * @returns {Extension["commands"]}
 */
export function createCommands(app, getSidebar) {
  /**
   * @param {string} id
   * @param {string} label
   * @param {string} icon
   */
  const command = (id, label, icon) => ({
    id,
    label,
    icon,
    function: () =>
      openSidebar(app, async () => {
        const panel = await getSidebar()?.getPanel();
        if (panel) ACTIONS[id](panel);
      }),
  });
  return [
    command("AvatarForge.Create", "AvatarForge: describe a character", "pi pi-pencil"),
    command("AvatarForge.Gallery", "AvatarForge: show the gallery", "pi pi-images"),
    command("AvatarForge.Generate", "AvatarForge: generate", "pi pi-play"),
    command("AvatarForge.GenerateSheet", "AvatarForge: generate a sheet", "pi pi-th-large"),
  ];
}

/**
 * Open the sidebar if it is closed, then call `run`.
 * @param {ComfyApp} app
 * @param {() => Promise<void>} run
 */
function openSidebar({ extensionManager }, run) {
  const { sidebarTab } = extensionManager;
  if (sidebarTab.activeSidebarTabId !== TAB) sidebarTab.toggleSidebarTab(TAB);
  // The frontend attaches the panel a moment later, and it cannot get the focus before.
  requestAnimationFrame(() => requestAnimationFrame(() => void run()));
}

/** The panel in the sidebar. Its scripts are loaded when the tab is first opened, so that the editor starts quickly. */
class Sidebar {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** @type {Panel | null} */
    this.panel = null; // once it is loaded
    /** @type {Promise<Panel | null> | null} */
    this.loading = null;
    /** @type {HTMLElement | null} */
    this.container = null;
  }

  /**
   * Show the panel in the tab's element. It is the same one each time, so that input survives closing the tab.
   * @param {HTMLElement} container
   */
  show(container) {
    this.container = container;
    container.classList.add("avatarforge-tab");
    if (this.panel) this.#attach(this.panel);
    else void this.getPanel();
  }

  /** @returns {Promise<Panel | null>} null if its scripts cannot be loaded; the next call tries again */
  getPanel() {
    this.loading ??= this.#load();
    return this.loading;
  }

  async #load() {
    try {
      const { Panel } = await import("./panel.mjs");
      this.panel = new Panel(this.session);
      this.#attach(this.panel);
      void this.panel.load();
    } catch {
      this.loading = null;
      if (this.container) this.container.textContent = this.session.t("unreachable");
    }
    return this.panel;
  }

  /** @param {Panel} panel */
  #attach({ element }) {
    // The frontend shows the tab again whenever its icon changes. Moving the panel would remove the focus from it.
    if (this.container && element.parentElement !== this.container) this.container.replaceChildren(element);
  }
}

/**
 * Register the panel as a sidebar tab. It follows the generations whether or not the tab is open.
 * @param {object} options
 * @param {ComfyApp} options.app
 * @param {ApiClient} options.client
 * @param {Translate} options.t
 */
export function addPanel({ app, client, t }) {
  const { extensionManager } = app;
  const { setting } = extensionManager;
  const session = new Session({
    client,
    t,
    locale: String(setting.get("Comfy.Locale") || "en"),
    undoSeconds: () => Number(setting.get(UNDO) ?? UNDO_SECONDS),
    editor: {
      insertNode: (kind, fileId) => insertNode(app, NODES[kind], { file_id: fileId }),
      insertView: (id, number) => insertView(app, { generation_id: id, number }),
      openGraph: async (generation) => {
        const prompt = await client.getPrompt(generation.generation_id);
        await openPrompt(app, prompt, generationTitle(generation, t).slice(0, 40));
      },
      openTemplate: ({ name, prompt, workflow }) => {
        if (workflow) void app.loadGraphData(workflow);
        else void openPrompt(app, prompt, name);
      },
    },
  });
  const sidebar = new Sidebar(session);
  extensionManager.registerSidebarTab({
    id: TAB,
    icon: "pi pi-user",
    title: "AvatarForge",
    label: t("tab"), // there is room for about ten letters below the icon
    tooltip: t("tab_hint"),
    type: "custom",
    iconBadge: () => null,
    render: (container) => sidebar.show(container),
  });
  showBadge(extensionManager, session);
  showToasts(extensionManager, session);
  takeDrops(app);
  session.live.start();
  return sidebar;
}

/**
 * Show the number of active generations on the tab's icon.
 * @param {ExtensionManager} extensionManager
 * @param {Session} session
 */
function showBadge({ getSidebarTabs, setting }, session) {
  const update = () => {
    const enabled = setting.get(BADGE) !== false;
    // The list is the frontend's own and not a copy, so setting the badge here has an effect.
    const tab = getSidebarTabs().find(({ id }) => id === TAB);
    if (tab) tab.iconBadge = enabled && session.activeCount ? String(session.activeCount) : "";
  };
  for (const name of /** @type {const} */ (["change", "deleted", "ended", "state"])) session.live.on(name, update);
  update();
}

/**
 * Show a toast for each generation that has ended.
 * @param {ExtensionManager} extensionManager
 * @param {Session} session
 */
function showToasts({ setting, toast }, session) {
  const { live, pendingDeletes, t } = session;
  live.on("ended", (generation) => {
    const chosen = setting.get(TOASTS) ?? ALL;
    const failed = generation.status === "failed";
    if (chosen === NONE || (chosen === FAILED && !failed)) return;
    // The user knows what was cancelled or deleted, and the editor reports its own graphs.
    if (generation.kind === "graph" || wasCancelled(generation)) return;
    if (generation.batch_id) return; // a batch can have hundreds of them
    if (pendingDeletes.has(generation.generation_id)) return;
    const name = generationTitle(generation, t);
    toast.add({
      severity: failed ? "error" : "success",
      summary: failed ? t("failed_named", { name }) : t("finished_named", { name }),
      detail: failed ? failureText(generation, t) : undefined,
      life: failed ? 2 * TOAST : TOAST,
    });
  });
}

/**
 * Put a node into the graph.
 * @param {ComfyApp} app
 * @param {string} type
 * @param {Record<string, unknown>} values of its widgets
 * @param {[x: number, y: number]} [place] of its corner; without one it lies in the middle of the visible canvas
 */
function insertNode(app, type, values, place) {
  const node = window.LiteGraph.createNode(type);
  const widgets = node.widgets?.filter(({ name }) => name in values) ?? [];
  for (const widget of widgets) widget.value = values[widget.name];
  const [left, top, width, height] = app.canvas.visible_area;
  node.pos = place ?? [left + (width - node.size[0]) / 2, top + (height - node.size[1]) / 2];
  const { graph } = app.canvas;
  graph.beforeChange?.();
  graph.add(node);
  graph.afterChange?.();
  for (const widget of widgets) widget.callback?.(widget.value); // makes its picker show the file
  app.canvas.selectNode?.(node);
  app.canvas.setDirty(true, true);
}

/**
 * Open a prompt as a graph, all of it in view.
 * @param {ComfyApp} app
 * @param {object} prompt
 * @param {string} name of the new tab
 */
async function openPrompt(app, prompt, name) {
  await app.loadApiJson(prompt, name);
  // The editor knows the size of its nodes after it has drawn them.
  requestAnimationFrame(() => requestAnimationFrame(() => void app.extensionManager.command.execute(FIT_VIEW)));
}

/**
 * @param {ComfyApp} app
 * @param {Pick<DraggedPicture, "generation_id" | "number">} picture
 * @param {[x: number, y: number]} [place]
 */
function insertView(app, { generation_id: id, number }, place) {
  insertNode(app, LOAD_VIEW, { generation_id: id, position: number }, place);
}

/**
 * One of our pictures that is dropped onto the empty canvas becomes a node. Otherwise the editor would open the graph in
 * the picture, and replace what the user is working on.
 * @param {ComfyApp} app
 */
function takeDrops(app) {
  const { canvas } = app;
  for (const name of /** @type {const} */ (["dragover", "drop"]))
    canvas.canvas?.addEventListener(name, (event) => {
      if (!isDragged(event.dataTransfer)) return;
      const place = canvas.convertEventToCanvasOffset?.(event);
      const node = place && canvas.graph.getNodeOnPos?.(...place);
      if (node?.onDragOver?.(event)) return; // the node takes it
      event.preventDefault();
      if (event.type !== "drop") return;
      event.stopPropagation();
      const picture = getDragged(event.dataTransfer);
      if (picture) insertView(app, picture, place);
    });
}
