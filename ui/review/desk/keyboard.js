/** Return the key of an event as one small letter or sign, whatever script the keyboard writes. */
function pressed(event) {
  if (/^[ -~]$/.test(event.key)) return event.key.toLowerCase();
  const letter = /^Key([A-Z])$/.exec(event.code);
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  return event.key.length === 1 ? (letter?.[1].toLowerCase() ?? digit?.[1] ?? event.key) : event.key;
}

/**
 * The keys of the desk, wherever the focus is: on a button, a checkbox or nothing. In a text field letters are letters,
 * and while an input method composes nothing is a key.
 */
class Keyboard {
  static TEXT = "textarea, select, [contenteditable=''], [contenteditable=true], input:not([type=checkbox], [type=radio], [type=range], [type=button])";
  static FAR = 10;

  constructor(desk) {
    this.desk = desk;
    this.down = (event) => this.press(event);
    this.up = (event) => pressed(event) === this.desk.data?.keys.flicker && this.desk.view.hold(false);
    this.blur = () => this.desk.view.hold(false);
    document.addEventListener("keydown", this.down);
    document.addEventListener("keyup", this.up);
    addEventListener("blur", this.blur);
  }

  destroy() {
    document.removeEventListener("keydown", this.down);
    document.removeEventListener("keyup", this.up);
    removeEventListener("blur", this.blur);
  }

  press(event) {
    const { desk } = this;
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(Keyboard.TEXT)) return void this.inText(event);
    if (desk.help.isOpen || event.target.closest?.("[role=dialog], [role=listbox], [role=menu]")) return;
    const key = pressed(event);
    const done = this.move(key, event) || this.zoom(key) || (!event.repeat && this.act(key));
    if (done) event.preventDefault();
  }

  inText(event) {
    if (event.key !== "Escape" || !this.desk.root.contains(event.target)) return;
    event.preventDefault();
    event.target.blur();
  }

  /** Arrows move a zoomed picture that has the focus; elsewhere they go through the own decisions. */
  move(key, event) {
    const step = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
    if (!step) return false;
    if (event.target.closest?.(".cv-stage")) {
      this.desk.view.zoom.move(step[0] * Keyboard.FAR, step[1] * Keyboard.FAR);
      return true;
    }
    if (!step[0] || event.repeat) return false;
    this.desk.act(step[0] > 0 ? "previous" : "next");
    return true;
  }

  zoom(key) {
    const { zoom } = this.desk.view;
    if (key === "+" || key === "=") zoom.by(Zoom.STEP);
    else if (key === "-") zoom.by(1 / Zoom.STEP);
    else if (key === "0") zoom.fit();
    else return false;
    return true;
  }

  act(key) {
    const { desk } = this;
    if (key === "?") desk.help.open();
    else if (key === "Escape") desk.stopAsking();
    else if (/^[1-9]$/.test(key)) desk.pickNumber(Number(key));
    else {
      const action = Object.keys(desk.data.keys).find((name) => desk.data.keys[name] === key);
      if (!action) return false;
      desk.act(action);
    }
    return true;
  }
}
