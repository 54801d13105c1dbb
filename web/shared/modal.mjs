// Shows a dialog over the page.

/**
 * Show a <dialog> until it is closed, by Escape, a click beside it or its own buttons. Key presses in it reach nothing
 * below it, such as the editor's shortcuts.
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<void>} resolves when it was closed and removed
 */
export function showModal(dialog) {
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "Escape") return;
    event.preventDefault(); // otherwise the browser closes the dialog below it, too
    dialog.close();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the backdrop
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
