/** The help on `?`: every key, and a way to choose another one. */
class Help {
  constructor(root, { remap }) {
    this.dialog = root.querySelector(".rd-help");
    this.line = root.querySelector(".rd-help-line");
    this.remap = remap;
    this.waiting = null;
    root.querySelector(".rd-open-help").addEventListener("click", () => this.open());
    this.dialog.querySelector("[data-do=close-help]").addEventListener("click", () => this.dialog.close());
    this.dialog.querySelector("[data-do=reset]").addEventListener("click", () => remap({ reset: true }));
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    this.dialog.addEventListener("close", () => this.wait(null));
  }

  get isOpen() {
    return this.dialog.open;
  }

  open() {
    this.line.textContent = "";
    this.dialog.showModal();
  }

  show(data) {
    this.texts = data.texts;
    const own = Object.entries(data.keys).flatMap(([action, key]) => {
      const word = data.texts[`action.${action}`];
      const button = make("button", { type: "button", class: "rd-quiet", "aria-label": `${data.texts["keys.change"]}: ${word}` }, data.texts["keys.change"]);
      button.addEventListener("click", () => this.wait(action));
      return [make("dt", {}, make("kbd", {}, key.toUpperCase())), make("dd", {}, make("span", {}, word), button)];
    });
    const fixed = Object.entries(data.fixed_keys).flatMap(([action, keys]) => [
      make("dt", {}, make("kbd", {}, keys)), make("dd", {}, data.texts[`keys.do_${action}`]),
    ]);
    this.dialog.querySelector(".rd-own").replaceChildren(...own);
    this.dialog.querySelector(".rd-fixed").replaceChildren(...fixed);
    if (this.isOpen && !this.waiting) this.line.textContent = data.notice?.text ?? "";
  }

  wait(action) {
    this.waiting = action;
    this.line.textContent = action ? fill(this.texts["keys.press"], { action: this.texts[`action.${action}`] }) : "";
  }

  /** Take the next key for the action that waits for one. */
  key(event) {
    if (!this.waiting || ["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key) || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    const action = this.waiting;
    this.wait(null);
    if (event.key !== "Escape") this.remap({ action, key: pressed(event) });
  }
}
