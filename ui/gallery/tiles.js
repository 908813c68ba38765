/** The page of small pictures. One of them has the tab stop; arrows go from one to the next, Space picks, O opens. */
class Tiles {
  constructor(root, { pick, open }) {
    this.root = root;
    this.pick = pick;
    this.open = open;
    this.buttons = [];
    root.addEventListener("keydown", (event) => this.press(event));
  }

  show(items, texts, pickable) {
    const at = this.buttons.findIndex((button) => button === document.activeElement);
    this.buttons = [];
    this.root.replaceChildren(...items.map((item) => this.tile(item, texts, pickable)));
    this.stop(Math.max(0, Math.min(at, items.length - 1)), at >= 0);
  }

  tile(item, texts, pickable) {
    const name = `${item.name}: ${[item.state, item.risk, item.flag].filter(Boolean).join(", ")}`;
    const image = make("img", { src: item.thumbnail, alt: "", width: 160, height: 160, decoding: "async" });
    image.addEventListener("error", () => image.replaceWith(make("span", { class: "gal-gone" }, `⚠ ${texts["grid.gone"]}`)));
    const button = make("button", {
      type: "button", class: "gal-pick", "aria-label": name, title: item.prompt, "data-item": item.id,
      "aria-pressed": pickable ? "false" : null,
    }, image, make("span", { class: "gal-check", "aria-hidden": "true" }, "✓"));
    button.addEventListener("click", () => (pickable ? this.pick(item.id) : this.open(item.id)));
    button.addEventListener("focus", () => this.stop(this.buttons.indexOf(button), false));
    this.buttons.push(button);
    const opens = make("button", { type: "button", class: "gal-open", "aria-label": fill(texts["grid.open_one"], { name: item.name }), tabindex: "-1" },
      texts["grid.open"]);
    opens.addEventListener("click", () => this.open(item.id));
    const under = make("span", {}, `${item.sign} ${item.state}`);
    return make("li", { class: "gal-tile" }, button,
      make("span", { class: "gal-name", dir: "auto" }, item.name),
      item.risk ? make("span", { class: "gal-under gal-risk" }, `⚠ ${item.risk}`) : null,
      item.flag ? make("span", { class: "gal-under gal-risk" }, `⚑ ${item.flag}`) : null,
      make("div", { class: "gal-under" }, under, opens));
  }

  mark(picked) {
    for (const button of this.buttons) {
      if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", String(picked.has(Number(button.dataset.item))));
    }
  }

  stop(at, focus) {
    for (const [place, button] of this.buttons.entries()) button.tabIndex = place === at ? 0 : -1;
    if (focus) this.buttons[at]?.focus();
  }

  press(event) {
    const at = this.buttons.indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const columns = getComputedStyle(this.root).gridTemplateColumns.split(" ").length;
    const last = this.buttons.length - 1;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: last }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      if (to >= 0 && to <= last) this.stop(to, true);
    } else if (event.key.toLowerCase() === "o") {
      event.preventDefault();
      this.open(Number(event.target.dataset.item));
    }
  }
}
