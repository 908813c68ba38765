/** The note that is being written, kept in this tab: it outlives a reload, a new sign-in and a server that went away. */
class NoteKeeper {
  static KEY = "adapt-note";

  static keep({ held, item, reviewer }, note) {
    if (note.trim()) NoteKeeper.write(JSON.stringify({ item: held, name: item.name, reviewer, note }));
    else NoteKeeper.write(null);
  }

  /** Forget the note, if it is about this item. */
  static drop(item) {
    if (NoteKeeper.read()?.item === item) NoteKeeper.write(null);
  }

  /** Return what this reviewer wrote last and did not send; what somebody else left in this tab is forgotten. */
  static recall(reviewer) {
    const kept = NoteKeeper.read();
    if (kept?.reviewer === reviewer) return kept;
    NoteKeeper.write(null);
    return null;
  }

  static read() {
    try {
      return JSON.parse(sessionStorage.getItem(NoteKeeper.KEY));
    } catch {
      // A browser that keeps nothing, or something that is not ours.
      return null;
    }
  }

  static write(text) {
    try {
      if (text === null) sessionStorage.removeItem(NoteKeeper.KEY);
      else sessionStorage.setItem(NoteKeeper.KEY, text);
    } catch {
      // Browsers may forbid it or be full; the note is in the page as before.
    }
  }
}
