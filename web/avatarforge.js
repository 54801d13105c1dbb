// The only .js in web/: ComfyUI's frontend loads every .js as an extension of its own, modules are .mjs.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { addPicker, pasteIntoPicker } from "./picker/picker.mjs";
import { Store } from "./picker/store.mjs";
import { loadWords } from "./picker/words.mjs";

/** Nodes with a `file_id`, and which of the two uploads fills it. */
const PICKERS = { AvatarForgeLoadPose: "pose", AvatarForgeLoadReference: "reference" };

const store = new Store(api);
let words = (key) => key;

app.registerExtension({
  name: "AvatarForge.Picker",
  async init() {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = new URL("./picker/picker.css", import.meta.url).href;
    document.head.append(sheet);
    words = await loadWords(api, app.extensionManager.setting.get("Comfy.Locale"));
    // Before the editor's own listener, which would make a new node of a pasted picture.
    document.addEventListener("paste", (event) => pasteIntoPicker(event, app.canvas), { capture: true });
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
