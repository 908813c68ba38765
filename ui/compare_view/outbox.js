/**
 * Messages to the server, one at a time. Streamlit keeps one waiting message of a component while a script runs, and a
 * newer one takes its place: a second one sent too early would make the first one be lost.
 */
class Outbox {
  static ANSWER_MS = 8000;

  /** `unanswered(messages)` is told which got no answer in time; they are not sent again by themselves. */
  constructor(unanswered) {
    this.unanswered = unanswered;
    this.waiting = [];
    this.sentAt = null;
  }

  /** Take the newest way to the server; another count of answers is the answer to what was sent. */
  update(answers, trigger) {
    this.trigger = trigger;
    if (answers === this.answers) return;
    this.answers = answers;
    if (this.sentAt === null) return;
    this.waiting.shift();
    this.next();
  }

  send(name, message, asked = false) {
    this.waiting.push({ name, message, asked });
    if (this.sentAt === null) this.next();
  }

  /** Send something whose answer the person waits for; nothing else is asked meanwhile. */
  ask(name, message) {
    if (!this.asking) this.send(name, message, true);
  }

  get asking() {
    return this.waiting.some((each) => each.asked);
  }

  has(name) {
    return this.waiting.some((each) => each.name === name);
  }

  next() {
    const [first] = this.waiting;
    this.sentAt = first ? performance.now() : null;
    if (first) this.trigger(first.name, first.message);
  }

  /** Give up what was not answered, and what waited behind it: it was about a state that nobody knows now. */
  tick() {
    if (this.sentAt === null || performance.now() - this.sentAt <= Outbox.ANSWER_MS) return;
    const given = this.waiting;
    this.waiting = [];
    this.sentAt = null;
    this.unanswered(given);
  }
}
