// Viewer, comparison and the reading of dropped pictures, which the panel loads together when it needs one of them.
import { Compare } from "./compare.mjs";
import { otherTakes, pictureKey } from "./pictures.mjs";
import { Restore } from "./restore.mjs";
import { Viewer } from "./viewer.mjs";

/** @import { Panel } from "./panel.mjs" */
/** @typedef {{ compare: Compare, restore: Restore, viewer: Viewer }} Viewing */

/**
 * @param {Panel} panel
 * @returns {Viewing}
 */
export function createViewing(panel) {
  const { actions, form, gallery, session } = panel;
  const compare = new Compare({ session });
  const viewer = new Viewer({
    session,
    actions,
    neighbour: (id, step) => gallery.neighbour(id, step),
    compare: async (picture, others) => {
      const takes = await otherTakes(picture, session.client).catch(() => []);
      const key = pictureKey(picture);
      const place = others.findIndex((one) => pictureKey(one) === key) + 1;
      await compare.open(picture, [...others.slice(0, place), ...takes, ...others.slice(place)]);
    },
    closed: ({ generation: { generation_id: id } }) => {
      // The details follow the viewer, unless what was chosen there leads elsewhere.
      if (panel.view === "detail" && panel.openedId !== id) panel.open(id);
    },
  });
  const restore = new Restore({ session, form, showForm: () => panel.showForm() });
  return { compare, restore, viewer };
}
