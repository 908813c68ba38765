/** The record at the right: what the picture should show, ticked fact by fact, and what was measured. */
class Rail {
  static VERDICTS = { match: "✓", mismatch: "✕", not_visible: "–" };

  constructor(root, { ticked }) {
    this.root = root;
    this.ticked = ticked;
  }

  show(item, texts, past) {
    this.texts = texts;
    const seen = item.attributes.filter((row) => row.reason !== null);
    const unseen = item.attributes.filter((row) => row.reason === null);
    this.rows = seen;
    this.buttons = new Map();
    const parts = [
      item.risk ? make("p", { class: "rd-risk" }, `⚠ ${item.risk}`) : null,
      item.flag ? make("p", { class: "rd-flagged" }, `⚑ ${item.flag}`) : null,
      item.again ? make("p", { class: "rd-again", dir: "auto" }, `↻ ${item.again}`) : null,
      make("h2", {}, item.name),
      make("p", { class: "rd-under" }, item.under),
      this.head("spec.prompt"),
      make("blockquote", {}, item.prompt),
      this.head("spec.title"),
      item.attributes.length ? null : make("p", { class: "rd-small" }, texts["spec.none"]),
      seen.length ? make("div", { class: "rd-checks" }, ...seen.map((row) => this.check(row, past))) : null,
      ...(unseen.length ? this.plain(unseen) : []),
      ...(item.description ? [this.head("spec.description"), make("p", { class: "rd-description" }, item.description)] : []),
      this.head("spec.scores"),
      ...item.scores.map((score) => this.score(score)),
      make("p", { class: "rd-small" }, item.origin),
    ];
    this.root.replaceChildren(...parts.filter(Boolean));
    this.root.scrollTop = 0;
  }

  head(key) {
    return make("h3", { class: "rd-head" }, this.texts[key]);
  }

  check(row, past) {
    const buttons = Object.entries(Rail.VERDICTS).map(([verdict, sign]) => {
      const word = this.texts[`spec.${verdict}`];
      const button = make("button", {
        type: "button", class: `rd-tick rd-${verdict}`, "aria-pressed": "false", disabled: past,
        "aria-label": `${row.name} ${row.value}: ${word}`, title: word, "data-check": verdict,
      }, `${sign} ${word}`);
      button.addEventListener("click", () => this.ticked(row, verdict));
      this.buttons.set(`${row.name}\n${verdict}`, button);
      return button;
    });
    const fact = make("div", { class: "rd-fact" }, make("span", {}, row.name), make("b", { lang: row.lang }, row.value));
    return make("div", { class: "rd-check" }, fact, make("div", { class: "rd-ticks", role: "group" }, ...buttons));
  }

  /** Press the buttons of what is ticked. */
  mark(checks) {
    for (const [key, button] of this.buttons) {
      const [name, verdict] = [key.slice(0, key.lastIndexOf("\n")), key.slice(key.lastIndexOf("\n") + 1)];
      button.setAttribute("aria-pressed", String(checks.get(name) === verdict));
    }
  }

  plain(rows) {
    const list = make("dl", {}, ...rows.flatMap((row) => [make("dt", {}, row.name), make("dd", { lang: row.lang }, row.value)]));
    return [make("p", { class: "rd-small" }, this.texts["spec.unseen"]), list];
  }

  score(score) {
    const line = make("p", { class: "rd-score" }, make("span", {}, score.name), make("b", {}, score.value));
    if (score.percentile === null) return line;
    const meter = make("span", { class: "rd-meter", "aria-hidden": "true" }, make("i"));
    meter.firstChild.style.width = `${score.percentile}%`;
    line.append(meter, make("small", {}, fill(this.texts["spec.percentile"], { value: score.percentile })));
    return line;
  }
}
