// The panel's keyboard shortcuts, the same in the editor and on the standalone page.

/** @import { Panel } from "./panel.mjs" */

/**
 * What the commands do, by their ids.
 * @type {Record<string, (panel: Panel) => void>}
 */
export const ACTIONS = {
  "AvatarForge.Create": (panel) => panel.show("create"),
  "AvatarForge.Gallery": (panel) => {
    panel.show("gallery");
    panel.gallery.focus();
  },
  "AvatarForge.Generate": (panel) => void panel.form.submit(),
  "AvatarForge.GenerateSheet": (panel) => void panel.form.submit(true),
};

// Not used by the frontend of any supported ComfyUI, which would show an error at each load for a conflict.
// tests/data/frontend_keybindings.json lists the frontends' own.
export const KEYBINDINGS = [
  { commandId: "AvatarForge.Create", combo: { key: "p", alt: true, shift: true } },
  { commandId: "AvatarForge.Gallery", combo: { key: "l", alt: true, shift: true } },
  { commandId: "AvatarForge.Generate", combo: { key: "r", alt: true, shift: true } },
  { commandId: "AvatarForge.GenerateSheet", combo: { key: "s", alt: true, shift: true } },
];

/**
 * Follow the shortcuts on the standalone page; in the editor its frontend does.
 * @param {Panel} panel
 */
export function addShortcuts(panel) {
  addEventListener("keydown", (event) => {
    if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey || event.repeat) return;
    // With Alt, some keyboards type another character.
    const found = KEYBINDINGS.find(({ combo }) => event.code === `Key${combo.key.toUpperCase()}`);
    if (!found) return;
    event.preventDefault();
    ACTIONS[found.commandId](panel);
  });
}
