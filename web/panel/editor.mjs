// The panel in ComfyUI's editor: sidebar tab, badge, toasts, commands, settings, graph. Only what the
// frontend offers to extensions is used; nothing of it is replaced.
import { titleOf, wasCancelled } from "./cards.mjs";
import { Panel } from "./panel.mjs";
import { Session, UNDO_SECONDS } from "./session.mjs";

const TAB = "avatarforge";
const NODES = { pose: "AvatarForgeLoadPose", reference: "AvatarForgeLoadReference" };
const TOAST = 6000; // ms
const [ALL, FAILED, NONE] = ["all", "failed", "none"];

const TOASTS = "AvatarForge.Toasts";
const BADGE = "AvatarForge.Badge";
const UNDO = "AvatarForge.UndoSeconds";

// Names and help are English here; locales/ has them in every language, by these ids.
export const SETTINGS = [
  {
    id: TOASTS,
    category: ["AvatarForge", "Panel", "Toasts"],
    name: "Tell when a generation has ended",
    tooltip: "A message in the corner of the editor, also while the sidebar shows something else.",
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
    name: "Count running generations on the sidebar's icon",
    type: "boolean",
    defaultValue: true,
  },
  {
    id: UNDO,
    category: ["AvatarForge", "Panel", "UndoSeconds"],
    name: "Seconds in which a deletion can be undone",
    tooltip: "The generation is deleted when the time is over, or when the editor is closed.",
    type: "slider",
    attrs: { min: 3, max: 60, step: 1 },
    defaultValue: UNDO_SECONDS,
  },
];

/** The commands; `panelOf()` gives the panel, which is there once the editor is set up. */
export function commandsOf(app, panelOf) {
  const command = (id, label, icon, work) => ({ id, label, icon, function: () => within(app, () => work(panelOf())) });
  return [
    command("AvatarForge.Create", "AvatarForge: describe a character", "pi pi-pencil", (one) => one.show("create")),
    command("AvatarForge.Gallery", "AvatarForge: show the gallery", "pi pi-images", (one) => {
      one.show("gallery");
      one.gallery.focus();
    }),
    command("AvatarForge.Generate", "AvatarForge: generate", "pi pi-play", (one) => void one.form.submit()),
    command("AvatarForge.GenerateSheet", "AvatarForge: generate a sheet", "pi pi-th-large", (one) => void one.form.submit(true)),
  ];
}

// Free in every frontend that a supported ComfyUI brings: one that is taken shows an error at each load. Those
// that are known stand in tests/data/frontend_keybindings.json.
export const KEYS = [
  { commandId: "AvatarForge.Create", combo: { key: "p", alt: true, shift: true } },
  { commandId: "AvatarForge.Gallery", combo: { key: "l", alt: true, shift: true } },
  { commandId: "AvatarForge.Generate", combo: { key: "r", alt: true, shift: true } },
  { commandId: "AvatarForge.GenerateSheet", combo: { key: "s", alt: true, shift: true } },
];

/** Open the sidebar if need be, then do something there. */
function within({ extensionManager }, work) {
  const { sidebarTab } = extensionManager;
  if (sidebarTab.activeSidebarTabId !== TAB) sidebarTab.toggleSidebarTab(TAB);
  // The frontend puts the panel into the document a moment later, and only then it can take the focus.
  requestAnimationFrame(() => requestAnimationFrame(work));
}

/** Give back the panel, registered as a sidebar tab. It follows what runs, whether or not the tab is open. */
export function addPanel({ app, client, words }) {
  const { extensionManager } = app;
  const setting = (id) => extensionManager.setting.get(id);
  const session = new Session({
    client,
    words,
    locale: setting("Comfy.Locale") || "en",
    undoSeconds: () => setting(UNDO) ?? UNDO_SECONDS,
    editor: {
      insertNode: (kind, fileId) => insertNode(app, kind, fileId),
      openGraph: async (generation) => {
        const prompt = await client.prompt(generation.generation_id);
        app.loadApiJson(prompt, titleOf(generation, words).slice(0, 40));
      },
    },
  });
  const panel = new Panel(session);
  let opened = false;
  extensionManager.registerSidebarTab({
    id: TAB,
    icon: "pi pi-user",
    title: "AvatarForge",
    label: words("tab"), // below the icon there is room for some ten letters
    tooltip: words("tab_hint"),
    type: "custom",
    iconBadge: () => null,
    // The same element each time: what was entered is still there when the tab is opened again.
    render: (container) => {
      container.classList.add("avatarforge-tab");
      // Called again whenever the tab's icon changes; moving the panel would take its focus away.
      if (panel.element.parentElement !== container) container.append(panel.element);
      if (!opened) void panel.load();
      opened = true;
    },
  });
  badge(extensionManager, session);
  toasts(extensionManager, session);
  session.live.start();
  return panel;
}

/** The number of generations that wait or run, on the tab's icon. */
function badge({ getSidebarTabs, setting }, session) {
  const count = () => {
    const shown = setting.get(BADGE) !== false && session.running ? String(session.running) : null;
    // The list that the frontend gives is its own: what is set there, it shows.
    const tab = getSidebarTabs().find(({ id }) => id === TAB);
    if (tab) tab.iconBadge = shown ?? "";
  };
  for (const kind of ["change", "gone", "ended", "state"]) session.live.addEventListener(kind, count);
  count();
}

function toasts({ setting, toast }, session) {
  const { live, words } = session;
  live.addEventListener("ended", ({ detail: generation }) => {
    const chosen = setting.get(TOASTS) ?? ALL;
    const failed = generation.status === "failed";
    // What the user took away or queued as a graph is told by nobody, or by the editor itself.
    const own = generation.kind === "graph" || wasCancelled(generation);
    if (own || session.leaving.has(generation.generation_id) || chosen === NONE) return;
    if (!failed && chosen === FAILED) return;
    const name = titleOf(generation, words);
    toast.add({
      severity: failed ? "error" : "success",
      summary: failed ? words("went_wrong", { name }) : words("finished", { name }),
      detail: failed ? generation.error : undefined,
      life: failed ? 2 * TOAST : TOAST,
    });
  });
}

/** Put a node that loads a stored file into the middle of what the canvas shows. */
function insertNode(app, kind, fileId) {
  const node = window.LiteGraph.createNode(NODES[kind]);
  const widget = node.widgets.find(({ name }) => name === "file_id");
  widget.value = fileId;
  const [left, top, width, height] = app.canvas.visible_area;
  node.pos = [left + (width - node.size[0]) / 2, top + (height - node.size[1]) / 2];
  const { graph } = app.canvas;
  graph.beforeChange?.();
  graph.add(node);
  graph.afterChange?.();
  widget.callback?.(fileId); // its picker shows the file
  app.canvas.selectNode?.(node);
  app.canvas.setDirty(true, true);
}
