/**
 * The candidate and the real photos. Tells `seen(item)` once the candidate's pixels are loaded and on screen, and
 * `failed(item)` when they cannot be had. Mode and zoom stay from one candidate to the next.
 */
class CompareView {
  static MODES = ["single", "side", "flicker", "difference"];
  static FLICKER_MS = 1000;

  constructor(root, { seen, failed }) {
    this.root = root;
    this.tell = { seen, failed };
    this.stage = root.querySelector(".cv-stage");
    this.made = root.querySelector(".cv-made");
    this.real = [...root.querySelectorAll(".cv-real")];
    this.item = null;
    this.address = null;
    this.pixels = "";
    this.loaded = false;
    this.gone = false;
    this.inView = false;
    this.held = false;
    this.turn = false;
    this.zoom = new Zoom(this.stage, () => this.measure());
    this.watch();
    this.setMode("side");
  }

  watch() {
    this.made.addEventListener("load", () => this.arrived());
    this.made.addEventListener("error", () => this.lost());
    this.look = new IntersectionObserver(([entry]) => {
      this.inView = entry.intersectionRatio >= 0.5;
      this.check();
    }, { threshold: [0, 0.5] });
    this.look.observe(this.root.querySelector(".cv-candidate .cv-surround"));
    this.size = new ResizeObserver(() => this.measure());
    this.size.observe(this.stage);
    this.woke = () => this.check();
    document.addEventListener("visibilitychange", this.woke);
    for (const button of this.root.querySelectorAll(".cv-modes button")) {
      button.addEventListener("click", () => this.setMode(button.dataset.mode));
    }
    const zooms = { in: () => this.zoom.by(Zoom.STEP), out: () => this.zoom.by(1 / Zoom.STEP), fit: () => this.zoom.fit() };
    zooms.true = () => this.truePixels();
    for (const button of this.root.querySelectorAll(".cv-zooms button")) {
      button.addEventListener("click", zooms[button.dataset.zoom]);
    }
    const hold = this.root.querySelector(".cv-hold");
    hold.addEventListener("pointerdown", () => this.hold(true));
    for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) {
      hold.addEventListener(end, () => this.hold(false));
    }
    hold.addEventListener("keydown", (event) => [" ", "Enter"].includes(event.key) && this.hold(true));
    hold.addEventListener("keyup", () => this.hold(false));
  }

  destroy() {
    this.look.disconnect();
    this.size.disconnect();
    document.removeEventListener("visibilitychange", this.woke);
    clearInterval(this.flickering);
  }

  /** Show an item: `id`, `address` (null when its file is missing), `alt`, `photos`. */
  show(item, texts) {
    this.texts = texts;
    const changed = this.item !== item.id || this.address !== item.address;
    this.item = item.id;
    this.address = item.address;
    this.made.alt = item.alt;
    if (changed) this.load(item);
    this.photos = item.photos;
    const same = this.photo && item.photos.some((photo) => photo.address === this.photo);
    this.choose(changed || !same ? 0 : item.photos.findIndex((photo) => photo.address === this.photo));
    this.swap();
  }

  load(item) {
    this.loaded = false;
    this.gone = false;
    this.turn = false;
    // Old pixels must not stay on screen under a new item.
    this.made.classList.add("cv-waiting");
    delete this.made.dataset.item;
    this.pixels = "";
    this.say(item.address ? this.texts["picture.loading"] : this.texts["picture.missing"]);
    if (item.address) this.made.src = item.address;
    else this.made.removeAttribute("src");
    this.check();
  }

  arrived() {
    if (!this.made.naturalWidth || this.made.getAttribute("src") !== this.address) return;
    this.loaded = true;
    this.made.classList.remove("cv-waiting");
    this.made.dataset.item = this.item;
    this.say("");
    this.pixels = fill(this.texts["picture.size"], { width: this.made.naturalWidth, height: this.made.naturalHeight });
    this.caption();
    this.measure();
    this.check();
  }

  lost() {
    if (!this.address || this.made.getAttribute("src") !== this.address) return;
    this.loaded = false;
    this.gone = true;
    this.say(this.texts["picture.missing"]);
    this.tell.failed(this.item);
  }

  /** Ask again whether the picture can be seen now; called by the desk until the server knows. */
  check() {
    const item = this.item;
    if (item === null) return;
    if (!this.address) return void this.tell.failed(item);
    if (!this.visible()) return;
    // Two frames: the pixels are painted, not only loaded.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (this.item === item && this.visible()) this.tell.seen(item);
    }));
  }

  visible() {
    return this.loaded && this.inView && document.visibilityState === "visible" && this.root.dataset.photo !== "true";
  }

  choose(place) {
    const photo = this.photos[place];
    this.photo = photo?.address ?? null;
    this.chosen = photo;
    for (const image of this.real) {
      image.classList.toggle("cv-waiting", !photo);
      if (photo && image.getAttribute("src") !== photo.address) image.src = photo.address;
      if (!photo) image.removeAttribute("src");
    }
    this.real[1].alt = photo?.alt ?? "";
    this.text(".cv-photo .cv-name", photo?.label ?? this.texts["picture.nearest"]);
    this.text(".cv-side", photo?.side ?? "");
    // A long name is cut on screen.
    this.root.querySelector(".cv-side").title = photo?.side ?? "";
    const none = this.root.querySelector(".cv-photo .cv-none");
    none.hidden = Boolean(photo);
    none.textContent = photo ? "" : this.texts["picture.no_nearest"];
    const buttons = this.photos.length < 2 ? [] : this.photos.map((each, number) => {
      const image = make("img", { src: each.thumbnail, alt: "" });
      const label = fill(this.texts["view.photo"], { number: number + 1 });
      const button = make("button", { type: "button", "aria-label": label, title: [each.label, each.side].filter(Boolean).join(" · "), "aria-pressed": String(number === place) }, image);
      button.addEventListener("click", () => {
        this.choose(number);
        this.caption();
      });
      return button;
    });
    this.root.querySelector(".cv-photos").replaceChildren(...buttons);
  }

  setMode(mode) {
    this.root.dataset.mode = mode;
    for (const button of this.root.querySelectorAll(".cv-modes button")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    }
    clearInterval(this.flickering);
    this.turn = false;
    // Whoever asked for less motion flickers by hand only.
    if (mode === "flicker" && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.flickering = setInterval(() => {
        this.turn = !this.turn;
        this.swap();
      }, CompareView.FLICKER_MS);
    }
    this.swap();
  }

  nextMode() {
    const place = CompareView.MODES.indexOf(this.root.dataset.mode);
    this.setMode(CompareView.MODES[(place + 1) % CompareView.MODES.length]);
  }

  hold(on) {
    this.held = on;
    this.swap();
  }

  /** Put the photo in the candidate's place, or the candidate back. */
  swap() {
    const photo = Boolean(this.photo) && (this.held || this.turn);
    this.root.dataset.photo = String(photo);
    if (this.texts) this.caption();
    this.check();
  }

  /** Say over the candidate's place which picture is seen there, and let that one be opened. */
  caption() {
    const photo = this.root.dataset.photo === "true" ? this.chosen : null;
    this.text(".cv-candidate .cv-name", photo?.label ?? this.texts["picture.generated"]);
    this.text(".cv-size", photo?.side ?? this.pixels);
    const original = this.root.querySelector(".cv-original");
    const address = photo?.address ?? this.address;
    original.hidden = !address;
    if (address) original.href = address;
  }

  truePixels() {
    this.zoom.set(this.zoom.x, this.zoom.y, 1 / this.fitScale());
  }

  /** Screen pixels a picture's pixel takes when it fits the pane. */
  fitScale() {
    const box = this.made.parentElement;
    return Math.min(box.clientWidth / this.made.naturalWidth, box.clientHeight / this.made.naturalHeight) || 1;
  }

  measure() {
    if (!this.loaded) return;
    const fit = this.fitScale();
    this.zoom.least = Math.min(1, 1 / fit);
    this.made.classList.toggle("cv-sharp", fit * this.zoom.z > 1);
    this.text(".cv-scale", fill(this.texts["view.scale"], { percent: Math.round(100 * fit * this.zoom.z) }));
  }

  say(text) {
    const none = this.root.querySelector(".cv-candidate .cv-none");
    none.hidden = !text;
    none.textContent = text;
  }

  text(selector, text) {
    this.root.querySelector(selector).textContent = text;
  }
}
