// The command "Save as AvatarForge template" in ComfyUI's editor.
import { readGraph } from "./graph.mjs";

/** @import { ApiClient } from "../panel/client.mjs" */
/** @import { ComfyApp, Extension, MenuItem, Translate } from "../shared/types.d.ts" */
/** @typedef {Extension["commands"][number]} Command */

export const SAVE_TEMPLATE = "AvatarForge.SaveTemplate";
const TOAST = 6000; // ms

/**
 * @param {object} options
 * @param {ComfyApp} options.app
 * @param {ApiClient} options.client
 * @param {() => Translate} options.getTranslate the texts are loaded after the commands are registered
 * @param {() => void} options.onSaved
 * @returns {Command}
 */
export function createSaveCommand({ app, client, getTranslate, onSaved }) {
  let open = false;
  const run = async () => {
    const t = getTranslate();
    const active = app.extensionManager.workflow?.activeWorkflow;
    const name = active && !active.isTemporary ? (active.filename ?? "") : "";
    const { saveTemplate } = await import("./save_dialog.mjs");
    const saved = await saveTemplate({ client, t, name, read: () => readGraph(app) });
    if (!saved) return;
    const { name: summary, version } = saved;
    const detail = t("template_saved", { version });
    app.extensionManager.toast.add({ severity: "success", summary, detail, life: TOAST });
    onSaved();
  };
  return {
    id: SAVE_TEMPLATE,
    label: "Save as AvatarForge template",
    icon: "pi pi-bookmark",
    function: () => {
      if (open) return;
      open = true;
      void run().finally(() => (open = false));
    },
  };
}

/**
 * The entry of the canvas menu.
 * @param {Command} command
 * @param {Translate} t
 * @returns {(MenuItem | null)[]}
 */
export const templateMenu = (command, t) => [null, { content: t("template_title"), callback: () => command.function() }];
