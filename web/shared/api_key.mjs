// Asks the user for the server's API key.
import { button, make } from "./elements.mjs";
import { ApiError, errorMessage } from "./errors.mjs";

/** @import { FilesClient } from "./files_client.mjs" */
/** @import { Translate } from "./types.d.ts" */

/**
 * Run `work`. While the server requires a key, ask for one and retry; if none is entered, throw the error.
 * @template Result
 * @param {FilesClient} client
 * @param {Translate} t
 * @param {() => Promise<Result>} work
 */
export async function withKey(client, t, work) {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      const detail = client.key ? errorMessage(error, t) : ""; // why the key was refused
      client.key = ""; // never send a wrong key again: the server counts failures
      const key = await askForKey(t, detail);
      if (!key) throw error;
      client.key = key;
    }
  }
}

/**
 * Resolves to the key that was entered, or to "".
 * @param {Translate} t
 * @param {string} detail
 * @returns {Promise<string>}
 */
function askForKey(t, detail) {
  let entered = "";
  const dialog = make("dialog", { className: "avatarforge-dialog avatarforge-small" });
  const input = make("input", {
    type: "password",
    className: "avatarforge-key",
    autocomplete: "off",
    required: true,
    pattern: "[!-~]+", // the characters allowed in a header
  });
  const form = make(
    "form",
    { method: "dialog", className: "avatarforge-form" },
    make("label", {}, make("span", { textContent: t("key_label") }), input),
    make("p", { className: "avatarforge-status", textContent: t("key_storage") }),
    make("p", { className: "avatarforge-status avatarforge-error", role: "alert", textContent: detail }),
    make(
      "div",
      { className: "avatarforge-row" },
      make("button", { type: "submit", className: "avatarforge-button", textContent: t("key_use") }),
      button(t("cancel"), () => dialog.close()),
    ),
  );
  dialog.append(make("h2", { textContent: t("key_title") }), form);
  dialog.setAttribute("aria-label", t("key_title"));
  form.addEventListener("submit", () => (entered = input.value));
  // Keep key presses from the editor's shortcuts, and from a dialog below this one.
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(entered);
    });
  });
}
