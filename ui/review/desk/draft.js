/** What a reviewer picked and typed for one item and did not send yet. */
class Draft {
  constructor() {
    this.reasons = new Set();
    this.checks = new Map();
    this.note = "";
    // Reasons that only a tick put there: they go when the tick goes.
    this.preset = new Set();
  }

  pick(code) {
    this.preset.delete(code);
    if (!this.reasons.delete(code)) this.reasons.add(code);
  }

  /** Tick a fact of the record, or take the tick away; a mismatch picks its reason. */
  tick(row, verdict, rows) {
    if (this.checks.get(row.name) === verdict) this.checks.delete(row.name);
    else this.checks.set(row.name, verdict);
    const wanted = new Set(rows.filter((each) => this.checks.get(each.name) === "mismatch").map((each) => each.reason));
    for (const code of [...this.preset]) {
      if (wanted.has(code)) continue;
      this.preset.delete(code);
      this.reasons.delete(code);
    }
    for (const code of wanted) {
      if (this.reasons.has(code)) continue;
      this.reasons.add(code);
      this.preset.add(code);
    }
  }

  /** Say what a verdict still lacks, as the string that asks for it; null when it can be sent. */
  lacks(verdict, skipNeedsReason) {
    if (this.reasons.size) return null;
    if (verdict === "reject") return "action.choose_reason";
    if (this.note.trim()) return null;
    if (verdict === "changes") return "action.needs_note";
    return verdict === "skip" && skipNeedsReason ? "action.needs_why" : null;
  }

  message(item, verdict) {
    return {
      item,
      verdict,
      // An approval takes no reasons.
      reasons: verdict === "approve" ? [] : [...this.reasons],
      checks: Object.fromEntries(this.checks),
      note: this.note.trim(),
    };
  }
}
