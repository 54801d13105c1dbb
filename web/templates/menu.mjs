// The entries "Use as slot" in the menu of a node.
import { SLOTS, WHOLE_NODE, candidates, clearMarks, getMarks, isMarked, slotsOf, toggleMark } from "./marks.mjs";

/** @import { ComfyApp, GraphNode, MenuItem, SlotName, Translate } from "../shared/types.d.ts" */

/**
 * The entries for a node: one for the widget below the pointer, if there is one, and one for the whole node. Each opens
 * a flat list, because one of the frontend's two menus shows no deeper ones.
 * @param {ComfyApp} app
 * @param {GraphNode} node
 * @param {Translate} t
 * @returns {(MenuItem | null)[]} null is a line
 */
export function slotMenu(app, node, t) {
  const ofNode = SLOTS.flatMap((slot) => candidates(node, slot).map((input) => toggleItem(node, slot, input, t)));
  const marked = Object.keys(getMarks(node)).length > 0;
  const widget = app.canvas.getWidgetAtCursor?.(node);
  const ofWidget = widget ? slotsOf(widget).map((slot) => toggleItem(node, slot, widget.name, t)) : [];
  if (!ofNode.length && !ofWidget.length && !marked) return [];
  return [
    null,
    ...(widget && ofWidget.length ? [submenu(t("slot_use_widget", { widget: widget.name }), ofWidget)] : []),
    ...(ofNode.length ? [submenu(t("slot_use"), ofNode)] : []),
    ...(marked ? [{ content: t("slot_clear"), callback: () => clearMarks(node) }] : []),
  ];
}

/**
 * @param {string} content
 * @param {MenuItem[]} options
 * @returns {MenuItem}
 */
function submenu(content, options) {
  return { content, has_submenu: true, submenu: { options } };
}

/**
 * @param {GraphNode} node
 * @param {SlotName} slot
 * @param {string} input
 * @param {Translate} t
 * @returns {MenuItem}
 */
function toggleItem(node, slot, input, t) {
  const name = input === WHOLE_NODE ? t(`slot_${slot}`) : `${t(`slot_${slot}`)}: ${input}`;
  return {
    content: isMarked(node, slot, input) ? `✓ ${name}` : name,
    callback: () => toggleMark(node, slot, input),
  };
}
