/** Candidates of one product side by side under one zoom. Each must be loaded and looked at before one is chosen. */
class Candidates {
  static RENEW_MS = 60_000;
  static ACTIVE_MS = 120_000;
  static WARN_MS = 60_000;
  static EVENTS = ["keydown", "pointermove", "pointerdown", "wheel"];
  static TEXT = "textarea, select, [contenteditable=''], [contenteditable=true], input:not([type=checkbox], [type=radio], [type=range], [type=button])";

  constructor(parent) {
    this.root = parent.querySelector(".cand");
    this.stage = this.root.querySelector(".cand-stage");
    this.zoom = new Zoom(this.stage, () => {});
    this.outbox = new Outbox((given) => this.unanswered(given));
    this.readyAt = Infinity;
    this.acted = this.renewed = performance.now();
    this.act = () => { this.acted = performance.now(); };
    for (const name of Candidates.EVENTS) document.addEventListener(name, this.act, { passive: true, capture: true });
    this.down = (event) => this.press(event);
    document.addEventListener("keydown", this.down);
    this.timer = setInterval(() => this.tick(), 1000);
    for (const button of this.root.querySelectorAll("[data-do]")) button.addEventListener("click", () => this.does(button.dataset.do));
  }

  destroy() {
    clearInterval(this.timer);
    clearTimeout(this.readying);
    document.removeEventListener("keydown", this.down);
    for (const name of Candidates.EVENTS) document.removeEventListener(name, this.act, { capture: true });
  }

  /** Show the server's newest state; `trigger` sends a message back. */
  update(data, trigger) {
    const before = this.data;
    this.data = data;
    this.outbox.update(data.answers, trigger);
    if (!before || before.language !== data.language) dress(this.root, data.texts);
    this.say(data.notice);
    const drawn = JSON.stringify([data.items, data.photo, data.language]);
    if (drawn !== this.drawn) this.draw(drawn);
    this.until = data.lease_ms === null ? null : performance.now() + data.lease_ms;
    const rest = data.seen_ms === null ? Infinity : Math.max(0, data.min_view_ms - data.seen_ms);
    this.readyAt = performance.now() + rest;
    clearTimeout(this.readying);
    if (rest < Infinity) this.readying = setTimeout(() => this.mark(), rest + 1);
    this.mark();
    this.tick();
  }

  draw(drawn) {
    const { data } = this;
    const { items, photo, product } = data;
    this.drawn = drawn;
    this.loaded = new Set();
    this.renewed = performance.now();
    this.root.querySelector(".cand-work").hidden = !items.length;
    this.root.querySelector(".cand-empty").hidden = items.length > 0;
    if (!items.length) return void this.stage.replaceChildren();
    this.root.querySelector(".cand-head h2").textContent = product.name;
    this.root.querySelector(".cand-under").textContent = product.under;
    this.root.querySelector(".cand-ask").textContent = fill(data.texts["compare.ask"], { count: items.length });
    this.stage.style.setProperty("--panes", items.length + (photo ? 1 : 0));
    this.zoom.fit();
    this.buttons = [];
    this.stage.replaceChildren(...items.map((item, place) => this.pane(item, place + 1)), ...(photo ? [this.photo(photo)] : []));
  }

  pane(item, number) {
    const { texts } = this.data;
    const image = make("img", { alt: item.alt, "data-item": item.id });
    image.addEventListener("load", () => this.arrived(item.id, image));
    image.addEventListener("error", () => this.outbox.send("failed", { item: item.id }));
    const button = make("button", { type: "button", class: "cand-choose" }, `${fill(texts["compare.choose"], { number })} `, make("kbd", {}, String(number)));
    button.addEventListener("click", () => this.choose(number));
    this.buttons.push(button);
    const pane = make("figure", { class: "cand-pane" },
      make("figcaption", {}, make("b", {}, fill(texts["compare.candidate"], { number })), make("span", { dir: "auto" }, item.prompt)),
      make("div", { class: "cv-surround" }, make("div", { class: "cv-box" }, image)),
      item.risk ? make("p", { class: "cand-risk" }, `⚠ ${item.risk}`) : null,
      item.flag ? make("p", { class: "cand-risk" }, `⚑ ${item.flag}`) : null,
      make("p", { class: "cand-soft" }, `${item.scores} `,
        make("a", { href: item.address, target: "_blank", rel: "noopener", "aria-label": fill(texts["compare.original_of"], { number }) }, texts["picture.original"])),
      button);
    image.src = item.address;
    return pane;
  }

  photo(photo) {
    return make("figure", { class: "cand-pane" },
      make("figcaption", {}, make("b", {}, photo.label), make("span", {}, photo.side)),
      make("div", { class: "cv-surround" }, make("div", { class: "cv-box" }, make("img", { src: photo.address, alt: photo.alt }))));
  }

  arrived(item, image) {
    image.classList.toggle("cand-sharp", Math.max(image.naturalWidth, image.naturalHeight) < 257);
    this.loaded.add(item);
    this.report();
  }

  /** Tell the server once all candidates are on screen. */
  report() {
    const { items, seen_ms } = this.data;
    if (!items.length || seen_ms !== null || this.outbox.has("shown") || document.visibilityState !== "visible") return;
    if (items.every((item) => this.loaded.has(item.id))) this.outbox.send("shown", { items: items.map((item) => item.id) });
  }

  get ready() {
    return performance.now() >= this.readyAt;
  }

  mark() {
    for (const button of this.buttons ?? []) button.disabled = !this.data.items.length || this.data.seen_ms === null;
    this.root.dataset.ready = String(this.ready);
  }

  tick() {
    if (!this.data) return;
    if (this.data.seen_ms === null) this.report();
    this.outbox.tick();
    const hold = this.root.querySelector(".cand-hold");
    if (this.until === null || this.until === undefined) return void (hold.textContent = "");
    const now = performance.now();
    const left = Math.max(0, this.until - now);
    const working = document.visibilityState === "visible" && now - this.acted < Candidates.ACTIVE_MS;
    if (working && now - this.renewed >= Candidates.RENEW_MS) {
      this.renewed = now;
      this.outbox.send("renew", { of: this.ids });
    }
    const seconds = Math.round(left / 1000);
    const soon = left <= Candidates.WARN_MS;
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    hold.textContent = `${soon ? "⚠ " : ""}${fill(this.data.texts["compare.hold"], { time })}`;
    hold.classList.toggle("cand-soon", soon);
  }

  get ids() {
    return this.data.items.map((item) => item.id);
  }

  // --- what a key or a button does ----------------------------------------------------------------

  press(event) {
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented || event.repeat) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(Candidates.TEXT) || event.target.closest?.("[role=dialog], [role=listbox], [role=menu]")) return;
    const key = event.key.normalize("NFKC").toLowerCase();
    const does = { s: "pass", u: "undo", "+": "in", "=": "in", "-": "out", 0: "fit" }[key];
    const step = { arrowleft: [10, 0], arrowright: [-10, 0], arrowup: [0, 10], arrowdown: [0, -10] }[key];
    if (/^[1-4]$/.test(key)) this.choose(Number(key));
    else if (does) this.does(does);
    else if (step && event.target.closest?.(".cand-stage")) this.zoom.move(...step);
    else return;
    event.preventDefault();
  }

  choose(number) {
    const item = this.data.items[number - 1];
    if (!item) return;
    if (!this.ready) return void this.warn(this.data.texts["message.too_fast"]);
    this.asks("choose", { item: item.id, of: this.ids });
  }

  does(name) {
    if (name === "in") this.zoom.by(Zoom.STEP);
    else if (name === "out") this.zoom.by(1 / Zoom.STEP);
    else if (name === "fit") this.zoom.fit();
    else if (name === "pass" && this.data.items.length) this.asks("pass", { of: this.ids });
    else if (name === "undo" || name === "again") this.asks(name, {});
  }

  asks(name, message) {
    if (this.outbox.asking) return;
    this.warn("");
    this.outbox.ask(name, message);
  }

  unanswered(given) {
    if (given.some((each) => each.asked)) this.warn(this.data.texts["compare.no_answer"]);
  }

  /** Say what was not done. What was done before stays on screen: a key too many must not hide that one was chosen. */
  warn(text) {
    this.root.querySelector(".cand-hint").textContent = text && `⚠ ${text}`;
  }

  say(notice) {
    const line = this.root.querySelector(".cand-notice");
    line.textContent = notice ? `${notice.kind === "warning" ? "⚠ " : "✓ "}${notice.text}` : "";
    line.classList.toggle("cand-warning", notice?.kind === "warning");
  }
}

const shown = new WeakMap();

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!shown.has(parentElement)) shown.set(parentElement, new Candidates(parentElement));
  shown.get(parentElement).update(data, setTriggerValue);
  return () => {
    shown.get(parentElement)?.destroy();
    shown.delete(parentElement);
  };
}
