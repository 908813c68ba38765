/** The note that is being written, kept in this tab: it outlives a reload, a new sign-in and a server that went away. */
class NoteKeeper {
  static KEY = "adapt-note";

  keep({ held, item, reviewer }, note) {
    if (!note.trim()) return void this.drop();
    this.write(JSON.stringify({ item: held, name: item.name, reviewer, note }));
  }

  drop() {
    this.write(null);
  }

  /** Return what this reviewer wrote last and did not send; what somebody else left in this tab is forgotten. */
  recall(reviewer) {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(NoteKeeper.KEY));
    } catch {
      // A browser that keeps nothing, or something that is not ours.
    }
    if (kept && kept.reviewer === reviewer) return kept;
    this.drop();
    return null;
  }

  write(text) {
    try {
      if (text === null) sessionStorage.removeItem(NoteKeeper.KEY);
      else sessionStorage.setItem(NoteKeeper.KEY, text);
    } catch {
      // Browsers may forbid it or be full; the note is in the page as before.
    }
  }
}
