/** The desk: takes the server's data, keeps what is not sent yet, and sends one message for each thing that is done. */
class Desk {
  static REPORT_MS = 1500;

  constructor(parent) {
    this.root = parent.querySelector(".rd");
    this.data = null;
    this.asking = null;
    this.outbox = new Outbox((given) => this.unanswered(given));
    this.readyAt = Infinity;
    this.reported = { item: null, at: 0 };
    this.view = new CompareView(this.root.querySelector(".cv"), {
      seen: (item) => this.report("shown", item),
      failed: (item) => this.report("failed", item),
    });
    this.rail = new Rail(this.root.querySelector(".rd-rail"), { ticked: (row, verdict) => this.tick(row, verdict) });
    this.bar = new Bar(this.root, {
      act: (name) => this.act(name),
      pick: (code) => this.pick(code),
      typed: (note) => {
        Object.assign(this.draft, { note, name: this.data.item.name, kept: false });
        NoteKeeper.keep(this.data, note);
      },
    });
    this.strips = new Strips(this.root, {
      undo: (decision) => this.outbox.ask("undo", { decision }),
      look: (decision) => {
        this.asking = null;
        this.outbox.ask("look", { decision });
      },
    });
    this.lease = new Lease(this.root.querySelector(".rd-hold"), {
      renew: () => this.outbox.send("renew", { item: this.data.held }),
      tick: () => this.tickClock(),
      warn: (text) => { this.root.querySelector(".rd-live").textContent = text; },
    });
    this.help = new Help(this.root, { remap: (message) => this.outbox.ask("remap", message) });
    this.keyboard = new Keyboard(this);
    this.bindPlainButtons();
  }

  bindPlainButtons() {
    const kept = this.root.querySelector(".rd-kept");
    const does = {
      again: () => this.outbox.ask("again", {}),
      refresh: () => this.outbox.ask("refresh", {}),
      undo: () => this.act("undo"),
      copy: () => navigator.clipboard?.writeText(kept.querySelector("blockquote").textContent),
      close: () => {
        kept.hidden = true;
        NoteKeeper.drop(this.kept);
      },
    };
    for (const [name, run] of Object.entries(does)) {
      for (const button of this.root.querySelectorAll(`[data-do=${name}]`)) button.addEventListener("click", run);
    }
  }

  destroy() {
    for (const part of [this.view, this.lease, this.keyboard]) part.destroy();
  }

  /** Show the server's newest state; `trigger` sends a message back. */
  update(data, trigger) {
    const before = this.data;
    this.data = data;
    this.drafts = draftsOf(data.reviewer);
    if (!before) this.comeBack();
    const asked = this.outbox.asking;
    this.outbox.update(data.answers, trigger);
    if (before && before.held !== data.held) this.leave(before);
    if (!before || before.language !== data.language) dress(this.root, data.texts);
    // What only told the server something leaves the line of a key that did nothing where it is.
    const notice = JSON.stringify([data.notice, data.held, data.language]);
    if (asked !== this.outbox.asking || notice !== this.noticed) this.say(data.notice);
    this.noticed = notice;
    this.root.dataset.item = data.item?.id ?? "";
    this.waitUntilSeen(data);
    this.lease.show(data.lease_ms, data.held, data.texts);
    const changed = this.drawn !== JSON.stringify([data.item, data.past, data.history, data.progress, data.keys, data.lost, data.language]);
    if (changed) this.draw(before);
    this.help.show(data);
    if (data.item) {
      this.mark();
      this.view.check();
    }
  }

  draw(before) {
    const { data } = this;
    this.drawn = JSON.stringify([data.item, data.past, data.history, data.progress, data.keys, data.lost, data.language]);
    showProgress(this.root, data);
    showEmpty(this.root, data);
    this.strips.show(data);
    if (!data.item) return;
    this.view.show(data.item, data.texts);
    this.rail.show(data.item, data.texts, Boolean(data.past));
    this.bar.show(data);
    if (before?.item?.id !== data.item.id) this.root.querySelector(".rd-live").textContent = data.item.alt;
  }

  /** Work out from when on a decision may count; the server has the last word. */
  waitUntilSeen({ seen_ms, min_view_ms }) {
    const rest = seen_ms === null ? Infinity : Math.max(0, min_view_ms - seen_ms);
    this.readyAt = performance.now() + rest;
    this.root.dataset.ready = String(this.ready);
    clearTimeout(this.readying);
    if (rest < Infinity) this.readying = setTimeout(() => { this.root.dataset.ready = String(this.ready); }, rest + 1);
  }

  get ready() {
    return performance.now() >= this.readyAt && !this.data.past;
  }

  get draft() {
    const item = this.data.item?.id;
    if (!this.drafts.has(item)) this.drafts.set(item, new Draft());
    return this.drafts.get(item);
  }

  /** The held item changed: forget what was sent for the last one, or keep a note that never was. */
  leave(before) {
    this.asking = null;
    if (this.data.left === before.held) return void this.forget(before.held);
    this.keep(before.held, this.drafts.get(before.held));
  }

  /** The screen is opened again: forget what was sent just before it was left, show a note whose item went elsewhere. */
  comeBack() {
    if (this.data.left !== this.data.held) this.forget(this.data.left);
    for (const [item, draft] of this.drafts) if (item !== this.data.held && !draft.kept) this.keep(item, draft);
  }

  forget(item) {
    this.drafts.delete(item);
    NoteKeeper.drop(item);
  }

  keep(item, draft) {
    const note = draft?.note.trim();
    if (!note) return;
    draft.kept = true;
    this.kept = item;
    const kept = this.root.querySelector(".rd-kept");
    kept.hidden = false;
    kept.querySelector("p").textContent = fill(this.data.texts["note.kept"], { name: draft.name });
    kept.querySelector("blockquote").textContent = note;
  }

  // --- messages -----------------------------------------------------------------------------------

  report(name, item) {
    const now = performance.now();
    const { held, past, seen_ms } = this.data;
    if (item !== held || past) return;
    if (seen_ms !== null || this.outbox.has(name) || (this.reported.item === item && now - this.reported.at < Desk.REPORT_MS)) return;
    this.reported = { item, at: now };
    this.outbox.send(name, { item });
  }

  tickClock() {
    if (this.data?.item && this.data.seen_ms === null) this.view.check();
    this.outbox.tick();
  }

  unanswered(given) {
    if (given.some((each) => each.asked)) this.say({ kind: "warning", text: this.data.texts["message.no_answer"] });
  }

  // --- what a key or a button does ----------------------------------------------------------------

  act(name) {
    const { item, past } = this.data;
    if (name === "undo") return void this.outbox.ask("undo", { decision: past?.id ?? null });
    if (name === "previous" || name === "next") return void this.step(name);
    if (!item) return;
    if (name === "flicker") return void this.view.hold(true);
    if (name === "mode") return void this.view.nextMode();
    if (past) return;
    if (name === "note") return void this.bar.note.focus();
    if (name === "flag") return void this.outbox.ask("flag", { item: item.id, on: !item.flagged });
    this.decide(name);
  }

  /** Go back through the own decisions, or forward to the open picture. */
  step(name) {
    const { past } = this.data;
    // What was undone is in the list, but is no decision any more.
    const history = this.data.history.filter((made) => !made.superseded || made.id === past?.id);
    const place = past ? history.findIndex((made) => made.id === past.id) : -1;
    const next = place + (name === "previous" ? 1 : -1);
    if (next >= history.length || (name === "next" && !past)) return;
    this.asking = null;
    this.outbox.ask("look", { decision: next < 0 ? null : history[next].id });
  }

  decide(verdict) {
    const { data, draft } = this;
    if (this.outbox.asking) return;
    if (verdict === "approve" && (!data.item.address || data.lost || this.view.gone)) {
      return void this.say({ kind: "warning", text: data.texts["picture.missing"] });
    }
    const text = draft.lacks(verdict, data.skip_needs_reason);
    if (text) {
      this.asking = { verdict, text, key: data.keys[verdict] };
      this.say(null);
      return void this.mark();
    }
    if (!this.ready) {
      return void this.say({ kind: "warning", text: data.texts["message.too_fast"] });
    }
    this.asking = null;
    this.outbox.ask("decide", draft.message(data.item.id, verdict));
  }

  pickNumber(number) {
    const reason = this.data.reasons[number - 1];
    if (reason && this.data.item && !this.data.past) this.pick(reason.code);
  }

  /**
   * Take a reason: after a verdict that asks for one it decides at once, before it is kept, a second time dropped. One
   * that follows a verdict on its way is about no picture, and the next one takes none before it has been seen.
   */
  pick(code) {
    if (this.outbox.has("decide")) return;
    if (!this.ready) return void this.say({ kind: "warning", text: this.data.texts["message.too_fast"] });
    if (this.asking) {
      this.draft.reasons.add(code);
      this.decide(this.asking.verdict);
    } else {
      this.draft.pick(code);
    }
    this.mark();
  }

  tick(row, verdict) {
    this.draft.tick(row, verdict, this.rail.rows);
    this.mark();
  }

  stopAsking() {
    this.asking = null;
    if (this.data.item) this.mark();
  }

  mark() {
    this.rail.mark(this.draft.checks);
    this.bar.mark(this.draft, this.asking, this.data.keys.reject);
  }

  say(notice) {
    for (const line of this.root.querySelectorAll(".rd-notice")) {
      line.textContent = notice ? `${notice.kind === "warning" ? "⚠ " : ""}${notice.text}` : "";
      line.classList.toggle("rd-warning", notice?.kind === "warning");
    }
  }
}

/** What was typed and not sent outlives a desk: its person may look at another screen and come back. */
function draftsOf(reviewer) {
  if (globalThis.adaptDrafts?.reviewer !== reviewer) {
    globalThis.adaptDrafts = { reviewer, byItem: new Map() };
    const kept = NoteKeeper.recall(reviewer);
    if (kept) globalThis.adaptDrafts.byItem.set(kept.item, Object.assign(new Draft(), { note: kept.note, name: kept.name }));
  }
  return globalThis.adaptDrafts.byItem;
}

const desks = new WeakMap();

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!desks.has(parentElement)) desks.set(parentElement, new Desk(parentElement));
  desks.get(parentElement).update(data, setTriggerValue);
  return () => {
    desks.get(parentElement)?.destroy();
    desks.delete(parentElement);
  };
}
