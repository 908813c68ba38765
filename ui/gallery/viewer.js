/** One picture at its own pixels over the page; it counts as seen once it was on screen for as long as the rules ask. */
class Viewer {
  constructor(dialog, { seen, take, again }) {
    this.dialog = dialog;
    this.seen = seen;
    this.again = again;
    this.image = dialog.querySelector("img");
    this.missing = dialog.querySelector(".gal-missing");
    this.takes = dialog.querySelector(".gal-take");
    dialog.querySelector(".gal-close").addEventListener("click", () => dialog.close());
    dialog.querySelector(".gal-previous").addEventListener("click", () => this.step(-1));
    dialog.querySelector(".gal-next").addEventListener("click", () => this.step(1));
    this.takes.addEventListener("click", () => take(this.items[this.at].id));
    dialog.addEventListener("close", () => this.leave());
    dialog.addEventListener("keydown", (event) => this.press(event));
    this.image.addEventListener("load", () => this.loaded());
    this.image.addEventListener("error", () => {
      this.missing.hidden = false;
      this.image.hidden = true;
    });
  }

  open(items, at, texts, { min_view_ms, pickable, picked }) {
    Object.assign(this, { items, texts, min_view_ms });
    this.takes.hidden = !pickable;
    this.from = document.activeElement;
    if (!this.dialog.open) this.dialog.showModal();
    this.show(at, picked);
  }

  show(at, picked = this.picked) {
    this.at = at;
    this.picked = picked;
    clearTimeout(this.timer);
    const item = this.items[at];
    this.missing.hidden = true;
    this.image.hidden = false;
    this.image.removeAttribute("src");
    this.image.alt = item.alt;
    this.image.src = item.original;
    this.dialog.querySelector(".gal-place").textContent = fill(this.texts["grid.place"], { number: at + 1, total: this.items.length });
    this.dialog.querySelector(".gal-about").replaceChildren(
      make("b", { dir: "auto" }, item.name), make("span", { dir: "auto" }, item.prompt),
      ...(item.risk ? [make("span", { class: "gal-risk" }, `⚠ ${item.risk}`)] : []),
      ...(item.flag ? [make("span", { class: "gal-risk" }, `⚑ ${item.flag}`)] : []),
      make("span", { class: "gal-under" }, [`${item.sign} ${item.state}`, ...item.scores].join(" · ")),
      ...(item.address ? [make("a", { href: item.address }, this.texts["conflicts.rule_on"])] : []));
    this.mark(picked);
  }

  mark(picked) {
    this.picked = picked;
    if (!this.items) return;
    const has = picked.has(this.items[this.at].id);
    this.takes.textContent = this.texts[has ? "grid.put_back" : "grid.take"];
    this.takes.setAttribute("aria-pressed", String(has));
  }

  loaded() {
    this.image.classList.toggle("gal-sharp", Math.max(this.image.naturalWidth, this.image.naturalHeight) < 257);
    const item = this.items[this.at].id;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.dialog.open && document.visibilityState === "visible" && this.items[this.at].id === item) this.seen(item);
    }, this.min_view_ms);
  }

  step(by) {
    const to = this.at + by;
    if (to >= 0 && to < this.items.length) this.show(to);
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    this.step(by);
  }

  leave() {
    // The browser tells late that it closed: by then the next picture may be open.
    if (this.dialog.open) return;
    clearTimeout(this.timer);
    this.image.removeAttribute("src");
    // The browser gives the focus back, but not to a sample that was drawn anew since because it was seen.
    const now = document.activeElement;
    if (now === document.body || this.dialog.contains(now)) this.again(this.from?.dataset.item)?.focus();
  }
}
