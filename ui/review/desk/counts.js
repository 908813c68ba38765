/** Write the counts and fill the thin line. */
function showProgress(root, { progress, texts }) {
  const counts = ["pending", "approved", "rejected", "mine"].map((name) =>
    make("span", {}, `${texts[`progress.${name}`]} `, make("b", {}, progress[name].toLocaleString())));
  root.querySelector(".rd-counts").replaceChildren(...counts);
  const track = root.querySelector(".rd-track");
  const label = fill(texts["progress.label"], { done: progress.approved + progress.rejected, total: progress.total });
  track.setAttribute("aria-label", label);
  track.title = label;
  for (const name of ["approved", "rejected"]) {
    root.querySelector(`.rd-${name}`).style.width = `${(100 * progress[name]) / Math.max(progress.total, 1)}%`;
  }
}

/** Say that there is nothing to review, and what can be done about it. */
function showEmpty(root, { item, progress, texts, history }) {
  root.querySelector(".rd-work").hidden = !item;
  const empty = root.querySelector(".rd-empty");
  empty.hidden = Boolean(item);
  if (item) return;
  empty.querySelector(".rd-empty-why").textContent = texts[progress.total ? "message.empty_detail" : "message.empty_new"];
  const skipped = progress.skipped ? fill(texts["message.skipped"], { count: progress.skipped }) : "";
  empty.querySelector(".rd-empty-skipped").textContent = skipped;
  empty.querySelector("[data-do=again]").hidden = !skipped;
  empty.querySelector("[data-do=undo]").hidden = !history.some((made) => !made.superseded);
}
