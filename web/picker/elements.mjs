// The one way elements are made here. Texts become text nodes, never markup: file names come from anyone.

/** `properties` are those of the element; a name with a dash, and `role`, is set as an attribute. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A button that leaves the editor's own shortcuts and node dragging alone. */
export function button(label, onclick, properties = {}) {
  return make("button", { type: "button", className: "avatarforge-button", textContent: label, onclick, ...properties });
}
