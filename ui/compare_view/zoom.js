/** One zoom and one place for all pictures of a stage; x and y are in per cent of a picture's box, z = 1 fits it. */
class Zoom {
  static STEP = 1.25;
  static MOST = 40;

  constructor(stage, changed) {
    this.stage = stage;
    this.changed = changed;
    this.least = 1;
    this.x = 0;
    this.y = 0;
    this.z = 1;
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.grab(event));
  }

  set(x, y, z) {
    this.z = Math.min(Zoom.MOST, Math.max(this.least, z));
    // A picture never leaves its pane altogether.
    const most = 50 * Math.max(this.z, 1);
    this.x = Math.max(-most, Math.min(most, x));
    this.y = Math.max(-most, Math.min(most, y));
    if (this.z <= 1) this.x = this.y = 0;
    for (const name of ["x", "y", "z"]) this.stage.style.setProperty(`--${name}`, this[name].toFixed(4));
    this.changed();
  }

  fit() {
    this.set(0, 0, 1);
  }

  /** Zoom around a point given from the box's centre, in per cent of the box, so that what is there stays there. */
  by(factor, atX = 0, atY = 0) {
    const z = Math.min(Zoom.MOST, Math.max(this.least, this.z * factor));
    const share = z / this.z;
    this.set(atX - (atX - this.x) * share, atY - (atY - this.y) * share, z);
  }

  move(x, y) {
    this.set(this.x + x, this.y + y, this.z);
  }

  wheel(event) {
    const box = event.target.closest(".cv-surround")?.querySelector(".cv-box");
    if (!box) return;
    event.preventDefault();
    const at = box.getBoundingClientRect();
    const x = (100 * (event.clientX - at.left)) / at.width - 50;
    const y = (100 * (event.clientY - at.top)) / at.height - 50;
    this.by(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), x, y);
  }

  grab(event) {
    const surround = event.target.closest(".cv-surround");
    if (!surround || event.button !== 0 || event.target.closest("button")) return;
    const box = surround.querySelector(".cv-box").getBoundingClientRect();
    const start = { px: event.clientX, py: event.clientY, x: this.x, y: this.y };
    const drag = (now) => {
      const x = start.x + (100 * (now.clientX - start.px)) / box.width;
      const y = start.y + (100 * (now.clientY - start.py)) / box.height;
      this.set(x, y, this.z);
    };
    const end = () => {
      surround.removeEventListener("pointermove", drag);
      surround.removeEventListener("pointerup", end);
      surround.removeEventListener("pointercancel", end);
    };
    surround.setPointerCapture(event.pointerId);
    surround.addEventListener("pointermove", drag);
    surround.addEventListener("pointerup", end);
    surround.addEventListener("pointercancel", end);
  }
}
