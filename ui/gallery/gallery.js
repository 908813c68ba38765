/** The gallery: what is picked and what was seen are kept here and sent whole, so that no message can be lost. */
class Gallery {
  static SEND_MS = 150;

  constructor(parent) {
    this.root = parent.querySelector(".gal");
    this.picked = new Set();
    this.seen = new Set();
    this.sending = null;
    this.outbox = new Outbox((given) => this.unanswered(given));
    this.timer = setInterval(() => this.outbox.tick(), 1000);
    this.tiles = new Tiles(this.root.querySelector(".gal-tiles"), {
      pick: (item) => this.toggle(item),
      open: (item) => this.open(this.data.items, item),
    });
    this.viewer = new Viewer(this.root.querySelector("dialog"), {
      seen: (item) => this.note(item),
      take: (item) => this.toggle(item),
      again: (item) => this.root.querySelector(`[data-item="${item}"]`),
    });
  }

  destroy() {
    clearTimeout(this.sending);
    clearInterval(this.timer);
    if (this.viewer.dialog.open) this.viewer.dialog.close();
  }

  /** Show the server's newest state; what the server itself changed has another `revision`. */
  update(data, trigger) {
    const before = this.data;
    const drawn = JSON.stringify([data.items, data.pickable, data.language]);
    const others = drawn !== this.drawn;
    // What was picked a moment ago is about the pictures that were here then.
    if (before && others) this.flush();
    this.data = data;
    this.outbox.update(data.answers, trigger);
    if (!before || before.revision !== data.revision) {
      this.forget();
      this.picked = new Set(data.picked);
    } else if (others) {
      const kept = this.outbox.has("picked") ? this.picked : [];
      this.picked = new Set([...data.picked, ...kept]);
    }
    for (const item of data.seen) this.seen.add(item);
    // What of the sample is on another page was picked there.
    for (const { id } of data.sample) if (!data.items.some((item) => item.id === id)) this.picked.add(id);
    if (!before || before.language !== data.language) dress(this.root, data.texts);
    if (others) this.tiles.show(data.items, data.texts, data.pickable);
    this.drawn = drawn;
    this.root.querySelector(".gal-keys").hidden = !data.items.length;
    this.mark();
  }

  mark() {
    this.tiles.mark(this.picked);
    this.viewer.mark(this.picked);
    this.showSample();
  }

  showSample() {
    const { sample, texts } = this.data;
    const section = this.root.querySelector(".gal-sample");
    const focused = section.contains(document.activeElement) ? document.activeElement.dataset.item : null;
    section.hidden = !sample.length;
    const opened = sample.filter((item) => this.seen.has(item.id)).length;
    section.querySelector(".gal-sample-line").textContent = fill(texts["grid.sample_line"], { opened, total: sample.length });
    section.querySelector(".gal-sample-row").replaceChildren(...sample.map((item) => {
      const seen = this.seen.has(item.id);
      const word = seen ? `✓ ${texts["grid.seen"]}` : texts["grid.open"];
      const button = make("button", { type: "button", class: seen ? "gal-seen" : "", "data-item": item.id, "aria-label": `${item.name}: ${word}` },
        make("img", { src: item.thumbnail, alt: "" }), word);
      button.addEventListener("click", () => this.open(this.data.sample, item.id));
      return button;
    }));
    if (focused) section.querySelector(`[data-item="${focused}"]`)?.focus();
  }

  open(items, item) {
    this.viewer.open(items, items.findIndex((other) => other.id === item), this.data.texts, { ...this.data, picked: this.picked });
  }

  toggle(item) {
    if (!this.data.pickable) return;
    if (!this.picked.delete(item)) this.picked.add(item);
    this.tiles.mark(this.picked);
    this.viewer.mark(this.picked);
    this.root.querySelector(".gal-live").textContent = fill(this.data.texts["grid.picked_here"], { count: this.picked.size });
    clearTimeout(this.sending);
    // A run of keys is one message.
    this.sending = setTimeout(() => this.flush(), Gallery.SEND_MS);
  }

  /** Send what is picked among all that is here, if some of it was not sent yet. */
  flush() {
    if (this.sending === null) return;
    this.forget();
    const among = [...this.data.items, ...this.data.sample].map((other) => other.id);
    this.outbox.send("picked", { among, picked: among.filter((id) => this.picked.has(id)) });
  }

  forget() {
    clearTimeout(this.sending);
    this.sending = null;
  }

  /** Both messages are whole, so that a later one says all that a lost one said. */
  unanswered(given) {
    if (given.some((each) => each.name === "picked")) this.sending = setTimeout(() => this.flush(), Gallery.SEND_MS);
    if (given.some((each) => each.name === "seen")) this.outbox.send("seen", { items: [...this.seen] });
  }

  note(item) {
    if (this.seen.has(item)) return;
    this.seen.add(item);
    this.showSample();
    this.outbox.send("seen", { items: [...this.seen] });
  }
}

const galleries = new WeakMap();

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!galleries.has(parentElement)) galleries.set(parentElement, new Gallery(parentElement));
  galleries.get(parentElement).update(data, setTriggerValue);
  return () => {
    galleries.get(parentElement)?.destroy();
    galleries.delete(parentElement);
  };
}
