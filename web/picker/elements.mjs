// The one way elements are made here. Texts become text nodes, never markup: file names come from anyone.

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** A button that leaves the editor's own shortcuts and node dragging alone. */
export function button(label, onclick) {
  return make("button", { type: "button", className: "avatarforge-button", textContent: label, onclick });
}
