/** Verdicts, reasons and note under the pictures. The buttons stay where they are from item to item, so does the focus. */
class Bar {
  static ACTIONS = ["approve", "reject", "changes", "skip", "flag", "undo"];
  static SIGNS = { approve: "✓", reject: "✕", changes: "✎", skip: "»", flag: "⚑", undo: "↺", previous: "", next: "" };

  constructor(root, { act, pick, typed }) {
    this.root = root;
    this.actions = root.querySelector(".rd-actions");
    this.chips = root.querySelector(".rd-chips");
    this.note = root.querySelector(".rd-note textarea");
    this.pick = pick;
    this.buttons = {};
    for (const name of [...Bar.ACTIONS, "previous", "next"]) {
      const button = make("button", { type: "button", class: `rd-act rd-${name}`, "data-act": name });
      button.addEventListener("click", () => act(name));
      this.buttons[name] = button;
      this.actions.append(button);
    }
    this.note.addEventListener("input", () => {
      this.grow();
      typed(this.note.value);
    });
  }

  show(data) {
    const { texts, keys, item } = data;
    this.texts = texts;
    const past = Boolean(data.past);
    for (const [name, button] of Object.entries(this.buttons)) {
      const word = texts[`action.${name}`];
      const key = { previous: "←", next: "→" }[name] ?? keys[name].toUpperCase();
      const quiet = ["previous", "next"].includes(name);
      const text = make("span", { class: quiet ? "rd-hidden" : null }, word);
      button.replaceChildren(make("i", { "aria-hidden": "true" }, Bar.SIGNS[name], name === "flag" && item.flagged ? "✓" : null), text, make("kbd", { "aria-hidden": "true" }, key));
      button.setAttribute("aria-keyshortcuts", { "←": "ArrowLeft", "→": "ArrowRight" }[key] ?? key);
      button.title = word;
    }
    this.buttons.flag.setAttribute("aria-pressed", String(item.flagged));
    for (const name of ["approve", "reject", "changes", "skip", "flag"]) this.buttons[name].hidden = past;
    this.buttons.approve.disabled = !item.address || data.lost;
    this.buttons.previous.disabled = !data.history.some((made) => !made.superseded);
    this.buttons.next.disabled = !past;
    this.root.querySelector(".rd-decide").hidden = past;
    this.note.placeholder = `${texts["note.placeholder"]} — ${keys.note.toUpperCase()}`;
    this.drawChips(data.reasons);
  }

  drawChips(reasons) {
    if (this.chips.childElementCount === reasons.length && this.language === this.texts["action.approve"]) return;
    this.language = this.texts["action.approve"];
    this.chips.replaceChildren(...reasons.map(({ code, label }, place) => {
      const chip = make("button", {
        type: "button", class: "rd-chip", "aria-pressed": "false", "aria-keyshortcuts": String(place + 1), "data-reason": code,
      }, make("kbd", { "aria-hidden": "true" }, String(place + 1)), make("i", { "aria-hidden": "true" }), make("span", {}, label));
      chip.addEventListener("click", () => this.pick(code));
      return chip;
    }));
  }

  mark(draft, asking, rejectKey) {
    for (const chip of this.chips.children) {
      const on = draft.reasons.has(chip.dataset.reason);
      chip.setAttribute("aria-pressed", String(on));
      chip.querySelector("i").textContent = on ? "✓" : "";
    }
    if (this.note.value !== draft.note) {
      this.note.value = draft.note;
      this.grow();
    }
    const ask = this.root.querySelector(".rd-ask");
    ask.hidden = this.root.querySelector(".rd-decide").hidden;
    const key = asking?.key ?? rejectKey;
    ask.textContent = fill(this.texts[asking ? asking.text : "action.reasons"], { key: key.toUpperCase() });
    ask.classList.toggle("rd-asking", Boolean(asking));
  }

  grow() {
    this.note.rows = Math.min(4, this.note.value.split("\n").length);
  }
}
