// The only .js in web/: ComfyUI's frontend loads every .js as an extension of its own, modules are .mjs.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { Client } from "./panel/client.mjs";
import { KEYS, SETTINGS, addPanel, commandsOf } from "./panel/editor.mjs";
import { addPicker, pasteIntoPicker } from "./picker/picker.mjs";
import { loadWords } from "./picker/words.mjs";

/** Nodes with a `file_id`, and which of the two uploads fills it. */
const PICKERS = { AvatarForgeLoadPose: "pose", AvatarForgeLoadReference: "reference" };

const store = new Client(api);
let words = (key) => key;
let panel = null;

app.registerExtension({
  name: "avatarforge.editor",
  settings: SETTINGS,
  commands: commandsOf(app, () => panel),
  keybindings: KEYS,
  async init() {
    for (const name of ["picker/picker.css", "panel/panel.css"]) {
      const sheet = document.createElement("link");
      sheet.rel = "stylesheet";
      sheet.href = new URL(name, import.meta.url).href;
      document.head.append(sheet);
    }
    words = await loadWords(api, app.extensionManager.setting.get("Comfy.Locale"));
    // Before the editor's own listener, which would make a new node of a pasted picture.
    document.addEventListener("paste", (event) => pasteIntoPicker(event, app.canvas), { capture: true });
  },
  setup() {
    panel = addPanel({ app, client: store, words });
  },
  nodeCreated(node) {
    const kind = PICKERS[node.comfyClass];
    if (kind) addPicker({ node, kind, store, words, notify });
  },
});

/** Say in a corner of the editor what went wrong. */
function notify(detail) {
  app.extensionManager.toast.add({ severity: "error", summary: "AvatarForge", detail, life: 8000 });
}
