// Shows a dialog over the page.

/**
 * Show a <dialog> until it is closed, by Escape, a click beside it or its own buttons. Key presses in it reach nothing
 * below it, such as the editor's shortcuts.
 * @param {HTMLDialogElement} dialog
 * @param {() => void} leave what Escape and a click beside it do
 * @returns {Promise<void>} resolves when it was closed and removed
 */
export function showModal(dialog, leave = () => dialog.close()) {
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "Escape") return;
    event.preventDefault(); // otherwise the browser closes it, and the dialog below it, too
    leave();
  });
  dialog.addEventListener("cancel", (event) => {
    if (event.target !== dialog) return; // also a file chooser in it is cancelled
    event.preventDefault();
    leave();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) leave(); // the backdrop
  });
  document.body.append(dialog);
  dialog.showModal(); // restores the focus when it closes
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve();
    });
  });
}
