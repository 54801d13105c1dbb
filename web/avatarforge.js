// The only .js in web/: ComfyUI's frontend loads every .js file as an extension, so modules are .mjs.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { ApiClient } from "./panel/client.mjs";
import { SETTINGS, addPanel, createCommands } from "./panel/editor.mjs";
import { KEYBINDINGS } from "./panel/shortcuts.mjs";
import { addPicker, pasteIntoPicker } from "./picker/picker.mjs";
import { addSavedView } from "./picker/saved_view.mjs";
import { addPosePart } from "./poses/node.mjs";
import { createTranslate, loadTranslations } from "./shared/i18n.mjs";
import { SAVE_TEMPLATE, createSaveCommand, templateMenu } from "./templates/editor.mjs";
import { showMarks } from "./templates/marks.mjs";
import { slotMenu } from "./templates/menu.mjs";

/** @import { FileKind, GraphNode } from "./shared/types.d.ts" */

/**
 * Nodes with a `file_id`, and the kind of file that it names.
 * @type {Record<string, FileKind>}
 */
const PICKER_NODES = {
  AvatarForgeLoadPose: "pose",
  AvatarForgeLoadKeypoints: "pose",
  AvatarForgeLoadReference: "reference",
};
const STYLESHEETS = [
  "shared/shared.css",
  "picker/picker.css",
  "panel/panel.css",
  "panel/form.css",
  "panel/choose.css",
  "panel/generations.css",
  "characters/characters.css",
  "panel/viewer.css",
  "templates/templates.css",
  "poses/poses.css",
];
const LIBRARY_POSE = "AvatarForgeLibraryPose";
const SAVED_VIEW = "AvatarForgeLoadView";
const NODES_WITH_ID = [...Object.keys(PICKER_NODES), SAVED_VIEW, "AvatarForgeSave"];
const IDS = ["file_id", "generation_id"];

const client = new ApiClient(api);
let t = createTranslate([]);
/** @type {ReturnType<typeof addPanel> | null} */
let sidebar = null;
const saveCommand = createSaveCommand({
  app,
  client,
  getTranslate: () => t,
  onSaved: () => sidebar?.panel?.form.reloadTemplates(),
});

app.registerExtension({
  name: "avatarforge.editor",
  settings: SETTINGS,
  commands: [...createCommands(app, () => sidebar), saveCommand],
  menuCommands: [{ path: ["File"], commands: [SAVE_TEMPLATE] }],
  keybindings: KEYBINDINGS,
  async init() {
    for (const name of STYLESHEETS) {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = new URL(name, import.meta.url).href;
      document.head.append(link);
    }
    t = await loadTranslations(api, app.extensionManager.setting.get("Comfy.Locale"));
    // Before the editor's own listener, which would create a node from a pasted picture.
    document.addEventListener("paste", (event) => pasteIntoPicker(event, app.canvas), { capture: true });
  },
  setup() {
    sidebar = addPanel({ app, client, t });
  },
  getNodeMenuItems: (node) => slotMenu(app, node, t),
  getCanvasMenuItems: () => templateMenu(saveCommand, t),
  nodeCreated(node) {
    hideIds(node);
    queueMicrotask(() => showMarks(node)); // a loaded or pasted node gets its properties next
    const kind = PICKER_NODES[node.comfyClass];
    if (kind) addPicker({ node, kind, client, t, notify });
    if (node.comfyClass === LIBRARY_POSE) addPosePart({ node, client, t });
    if (node.comfyClass === SAVED_VIEW) addSavedView({ node, client, t });
  },
});

/**
 * Ids are for machines: a picker, or the API, fills them in. The classic canvas ignores that their inputs are advanced.
 * @param {GraphNode} node
 */
function hideIds({ comfyClass, widgets = [] }) {
  if (!NODES_WITH_ID.includes(comfyClass)) return;
  for (const widget of widgets) if (IDS.includes(widget.name)) widget.advanced = true;
}

/**
 * Show an error in a corner of the editor.
 * @param {string} detail
 */
function notify(detail) {
  app.extensionManager.toast.add({ severity: "error", summary: "AvatarForge", detail, life: 8000 });
}
