// Asks for the server's API key, where it wants one.
import { button, make } from "./elements.mjs";

/** Do `work`. While the server wants a key, ask for one and do it again; without one it fails as it did. */
export async function withKey(store, words, work) {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (error.status !== 401) throw error;
      const detail = store.key ? error.detail : ""; // what was wrong with the one that was sent
      store.key = ""; // a wrong key must not be sent again and again: the server counts
      const key = await askForKey(words, detail);
      if (!key) throw error;
      store.key = key;
    }
  }
}

/** Resolves to the key that was entered, or to "". */
function askForKey(words, detail) {
  return new Promise((resolve) => {
    let entered = "";
    const input = make("input", {
      type: "password",
      className: "avatarforge-key",
      autocomplete: "off",
      required: true,
      pattern: "[!-~]+", // what a header can carry
    });
    const form = make(
      "form",
      { method: "dialog", className: "avatarforge-form" },
      make("label", {}, make("span", { textContent: words("key_label") }), input),
      make("p", { className: "avatarforge-status", textContent: words("key_kept") }),
      make("p", { className: "avatarforge-status avatarforge-error", role: "alert", textContent: detail }),
      make(
        "div",
        { className: "avatarforge-row" },
        make("button", { type: "submit", className: "avatarforge-button", textContent: words("key_use") }),
        button(words("cancel"), () => dialog.close()),
      ),
    );
    const heading = make("h2", { textContent: words("key_title") });
    const dialog = make("dialog", { className: "avatarforge-dialog avatarforge-small" }, heading, form);
    dialog.setAttribute("aria-label", words("key_title"));
    form.addEventListener("submit", () => (entered = input.value));
    // Keys pressed here are no shortcuts of the editor, nor of the dialog below.
    dialog.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(entered);
    });
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
