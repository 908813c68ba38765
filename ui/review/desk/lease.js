/** How long the item is still held; asks for more time only while somebody works in a tab that can be seen. */
class Lease {
  static WARN_MS = 60_000;
  static RENEW_MS = 60_000;
  static ACTIVE_MS = 120_000;
  static EVENTS = ["keydown", "pointermove", "pointerdown", "wheel"];

  constructor(root, { renew, tick, warn }) {
    this.root = root;
    this.warn = warn;
    this.warned = false;
    this.renew = renew;
    this.acted = performance.now();
    this.renewed = performance.now();
    this.act = () => { this.acted = performance.now(); };
    for (const name of Lease.EVENTS) document.addEventListener(name, this.act, { passive: true, capture: true });
    this.timer = setInterval(() => {
      this.step();
      tick();
    }, 1000);
  }

  destroy() {
    clearInterval(this.timer);
    for (const name of Lease.EVENTS) document.removeEventListener(name, this.act, { capture: true });
  }

  /** Start to count down from `left_ms`; null when nothing is held. */
  show(left_ms, item, texts) {
    if (item !== this.item) this.renewed = performance.now();
    this.item = item;
    this.until = left_ms === null ? null : performance.now() + left_ms;
    this.texts = texts;
    this.step();
  }

  step() {
    if (this.until === null || this.until === undefined) return void (this.root.textContent = "");
    const now = performance.now();
    const left = this.until - now;
    const working = document.visibilityState === "visible" && now - this.acted < Lease.ACTIVE_MS;
    if (working && now - this.renewed >= Lease.RENEW_MS) {
      this.renewed = now;
      this.renew();
    }
    const seconds = Math.max(0, Math.round(left / 1000));
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const soon = left <= Lease.WARN_MS;
    const key = left <= 0 ? "hold.over" : soon ? "hold.soon" : "hold.left";
    this.root.textContent = `${soon ? "⚠ " : ""}${fill(this.texts[key], { time })}`;
    this.root.classList.toggle("rd-soon", soon);
    // Spoken once; a countdown that speaks each second would drown everything else.
    if (soon && !this.warned) this.warn(this.root.textContent);
    this.warned = soon;
  }
}
