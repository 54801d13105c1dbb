// Undo and redo. Pure: states are values that nobody changes.

const MOST = 200; // states that are kept

/** @template State */
export class History {
  /** @param {State} state */
  constructor(state) {
    /** @type {State[]} */
    this.states = [state];
    this.at = 0;
    this.saved = state;
    /** @type {string | null} */
    this.group = null; // of the last change
  }

  get state() {
    return this.states[this.at];
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.states.length - 1;
  }

  /** Whether the state differs from the one at the start. */
  get isChanged() {
    return this.state !== this.saved;
  }

  /**
   * Make a new state the current one. What was undone is forgotten.
   * @param {State} state
   * @param {string | null} group changes of the same group, one right after another, are undone together
   */
  set(state, group = null) {
    if (state === this.state) return;
    const joins = group !== null && group === this.group && this.canUndo;
    this.states = [...this.states.slice(0, joins ? this.at : this.at + 1), state].slice(-MOST);
    this.at = this.states.length - 1;
    this.group = group;
  }

  /** The next change is one of its own. */
  endGroup() {
    this.group = null;
  }

  /**
   * Take back the changes of a group, as if they had never been made, if they are the last ones.
   * @param {string} group
   */
  cancelGroup(group) {
    if (group !== this.group || !this.canUndo) return;
    this.at--;
    this.states = this.states.slice(0, this.at + 1);
    this.endGroup();
  }

  undo() {
    if (this.canUndo) this.at--;
    this.endGroup();
  }

  redo() {
    if (this.canRedo) this.at++;
    this.endGroup();
  }
}
