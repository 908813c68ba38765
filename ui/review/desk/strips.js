/** The rows of small pictures: other wordings under the pictures, the last decisions at the right. */
class Strips {
  constructor(root, { undo, look }) {
    this.siblings = root.querySelector(".rd-siblings");
    this.history = root.querySelector(".rd-history");
    this.past = root.querySelector(".rd-past");
    this.undo = undo;
    this.look = look;
  }

  show(data) {
    this.texts = data.texts;
    this.showSiblings(data.item?.siblings ?? []);
    this.showHistory(data.history, data.past);
    this.showPast(data.past, data.language);
  }

  showSiblings(siblings) {
    this.siblings.hidden = !siblings.length;
    const links = siblings.map((sibling) => {
      const label = fill(this.texts["strip.look"], { prompt: sibling.prompt });
      const mark = sibling.outlier ? this.texts["strip.outlier"] : sibling.current ? this.texts["strip.current"] : null;
      const image = make("img", { src: sibling.thumbnail, alt: "" });
      const state = `${sibling.outlier ? "rd-outlier" : ""} ${sibling.current ? "rd-current" : ""}`;
      return make("a", {
        href: sibling.address, target: "_blank", rel: "noopener", class: state, title: mark ? `${sibling.prompt} (${mark})` : sibling.prompt,
        "aria-label": mark ? `${label} (${mark})` : label,
      }, image, sibling.outlier ? make("span", { "aria-hidden": "true" }, "⚠") : null);
    });
    this.siblings.querySelector(".rd-strip").replaceChildren(...links);
  }

  showHistory(history, past) {
    const title = this.texts[history.length ? "history.title" : "history.none"];
    this.history.replaceChildren(make("h3", { class: "rd-head" }, title), ...history.map((made) => this.entry(made, past)));
  }

  entry(made, past) {
    const label = fill(this.texts["history.look"], { name: made.name });
    const open = make("button", { type: "button", class: "rd-look", "aria-label": label, title: made.name },
      make("img", { src: made.thumbnail, alt: "", loading: "lazy" }));
    open.addEventListener("click", () => this.look(made.id));
    const words = make("div", {}, make("b", { class: `rd-word rd-${made.verdict}` }, `${made.sign} ${made.word}`),
      make("span", {}, made.why || made.name));
    const row = make("div", { class: "rd-made", "data-decision": made.id, "aria-current": past?.id === made.id ? "true" : null }, open, words);
    if (!made.superseded) row.append(this.undoButton(made));
    return row;
  }

  undoButton(made) {
    const label = fill(this.texts["history.undo"], { name: made.name });
    const button = make("button", { type: "button", class: "rd-quiet", "aria-label": label, title: label }, this.texts["action.undo"]);
    button.addEventListener("click", () => this.undo(made.id));
    return button;
  }

  showPast(made, language) {
    this.past.hidden = !made;
    if (!made) return void this.past.replaceChildren();
    const when = new Date(made.when).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
    const back = make("button", { type: "button", class: "rd-main-button" }, this.texts["action.back"]);
    back.addEventListener("click", () => this.look(null));
    this.past.replaceChildren(
      make("h3", {}, `${this.texts["history.past"]}: ${made.sign} ${made.word}`),
      make("p", {}, [made.why, when].filter(Boolean).join(" · ")),
      ...(made.note ? [make("blockquote", {}, made.note)] : []),
      make("div", { class: "rd-row" }, back, made.superseded ? null : this.undoButton(made)),
    );
  }
}
