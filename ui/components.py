"""Pieces of the screen. Everything that comes from the catalogue is escaped here, once."""

from collections.abc import Mapping
from html import escape

import streamlit as st

from catalog.records import Decision, ReviewItem, ReviewProgress, Specification
from ui import state
from ui.i18n import LANGUAGES, Translator

SHARP_BELOW_PX = 257
"""Pictures up to this size are enlarged with hard pixel edges: reviewers see what was generated, not a blur."""
SIGNS = {"approve": "✓", "reject": "✕", "skip": "→", "changes": "✎", "void": "↺"}
"""A sign beside each verdict, so that colour alone never tells."""

STYLE = """
<style>
[data-testid="stMainBlockContainer"] {padding: 1.1rem 2rem 1rem; max-width: 1480px; margin: 0 auto}
[data-testid="stHeader"] {display: none}
[data-testid="stVerticalBlock"] {gap: .7rem}
.bar {display: flex; align-items: baseline; gap: 1.4rem; flex-wrap: wrap}
.bar h1 {font-size: 1.15rem; font-weight: 650; margin: 0; padding: 0; letter-spacing: .005em}
.bar .counts {display: flex; gap: 1.1rem; font-size: .9rem; opacity: .85; font-variant-numeric: tabular-nums}
.bar .counts b {font-weight: 650}
.bar .who {font-size: .9rem; margin-left: auto}
.badge {border: 1px solid #9a6a10; color: #7a5000; background: #fff6e0; border-radius: 99px; font-size: .75rem;
  padding: .1rem .6rem; margin-left: .45rem; white-space: nowrap}
.track {height: 6px; border-radius: 3px; background: rgba(128, 132, 128, .28); overflow: hidden; display: flex}
.track i {display: block; height: 100%}
.track .approve {background: #2c7a5b} .track .reject {background: #b4533c}
figure.shot {margin: 0}
figure.shot .label {font-size: .78rem; font-weight: 600; letter-spacing: .03em; opacity: .8; margin-bottom: .35rem;
  display: flex; justify-content: space-between; gap: 1rem}
figure.shot .label span {font-weight: 400; letter-spacing: 0; font-variant-numeric: tabular-nums}
figure.shot .surround {background: #8d918d; border-radius: 10px; display: grid; place-items: center; padding: 14px;
  aspect-ratio: 1; max-height: 60vh; width: 100%; box-sizing: border-box}
figure.shot img {max-width: 100%; max-height: calc(60vh - 28px); width: 100%; height: 100%; min-height: 0;
  object-fit: contain; display: block}
figure.shot img.sharp {image-rendering: pixelated}
figure.shot .none {color: #f4f5f3; font-size: .9rem; padding: 2rem; text-align: center}
figure.shot a {color: inherit}
.record h2 {font-size: 1.15rem; font-weight: 650; margin: 0 0 .15rem; padding: 0; line-height: 1.35}
.record .sub {font-size: .85rem; opacity: .8; margin-bottom: .8rem}
.record .head {font-size: .78rem; font-weight: 600; letter-spacing: .03em; opacity: .8; margin: .9rem 0 .3rem}
.record blockquote {margin: 0; padding: .1rem 0 .1rem .8rem; border-left: 3px solid #1f5f5b; font-size: 1.02rem;
  line-height: 1.5; overflow-wrap: anywhere}
.record .description {font-size: .9rem; line-height: 1.45; margin: 0 0 .5rem; max-height: 16vh; overflow-y: auto;
  overflow-wrap: anywhere}
.record dl, .record dt, .record dd {padding: 0}
.record dl {display: grid; grid-template-columns: minmax(5.5rem, 36%) 1fr; gap: .3rem .9rem;
  font-size: .95rem; max-height: 26vh; overflow-y: auto}
.record dt {opacity: .75; overflow-wrap: anywhere}
.record dd {overflow-wrap: anywhere}
.record .small {font-size: .8rem; opacity: .8; font-variant-numeric: tabular-nums}
.risk {border: 1px solid #b4533c; background: #fbe9e4; color: #7c2c18; border-radius: 8px; padding: .45rem .7rem;
  font-size: .88rem; margin-bottom: .6rem}
.note {border-radius: 8px; padding: .42rem .8rem; font-size: .92rem; background: rgba(31, 95, 91, .12)}
.note.warning {background: #fff2d6; color: #5c3d00}
.ask {font-size: .88rem; font-weight: 600}
.ask.plain {font-weight: 400; opacity: .8}
.head {font-size: .78rem; font-weight: 600; letter-spacing: .03em; opacity: .8}
.last {display: grid; grid-template-columns: 44px 1fr; gap: 0 .7rem; align-items: center; font-size: .85rem;
  line-height: 1.3}
.last img {width: 44px; height: 44px; object-fit: contain; border-radius: 6px; background: #8d918d; padding: 3px;
  box-sizing: border-box; display: block; image-rendering: pixelated}
.st-key-reasons button {padding: .2rem .55rem; font-size: .9rem}
[class*="st-key-last-"] {border-top: 1px solid rgba(128, 132, 128, .28); padding-top: .4rem}
.last.approve b {color: #1f6b4e} .last.reject b {color: #9c3f29} .last.superseded {opacity: .55}
@media (prefers-color-scheme: dark) {
  .last.approve b {color: #7fd0ad} .last.reject b {color: #f0a08a}
  .record blockquote {border-color: #7cc4bc}
}
</style>
"""


def top_bar(t: Translator, counts: ReviewProgress, reviewer: str) -> str:
    """Return the line with title, counts and reviewer."""
    shown = [
        ("progress.pending", counts.pending),
        ("progress.approved", counts.approved),
        ("progress.rejected", counts.rejected),
        ("progress.mine", counts.decided_by_me),
    ]
    numbers = "".join(f"<span>{escape(t(key))} <b>{number:,}</b></span>" for key, number in shown)
    help_text = escape(t("reviewer.not_authenticated_help"))
    return (
        f'<div class="bar"><h1>{escape(t("app.title"))}</h1><div class="counts">{numbers}</div>'
        f'<div class="who">{escape(reviewer)}<span class="badge" title="{help_text}">'
        f"{escape(t('reviewer.not_authenticated'))}</span></div></div>"
    )


def progress_track(t: Translator, counts: ReviewProgress) -> str:
    """Return the thin line that fills as pictures are decided."""
    whole = max(counts.total, 1)
    label = escape(t("progress.label", done=counts.decided, total=counts.total))
    return (
        f'<div class="track" role="img" aria-label="{label}" title="{label}">'
        f'<i class="approve" style="width:{100 * counts.approved / whole:.2f}%"></i>'
        f'<i class="reject" style="width:{100 * counts.rejected / whole:.2f}%"></i></div>'
    )


def generated_picture(t: Translator, item: ReviewItem, address: str | None, size: tuple[int, int] | None) -> str:
    """Return the candidate at its own pixels, enlarged; `address` None means that its file is missing."""
    if address is None:
        return _empty_figure(t("picture.generated"), t("picture.missing"))
    return _figure(
        label=t("picture.generated"),
        side=_size_text(t, size) + _original_link(t, address),
        alt=t("picture.generated_alt", name=item.product_name),
        address=address,
        sharp=size is not None and max(size) < SHARP_BELOW_PX,
        marker=f'data-testid="candidate" data-item="{item.id}"',
    )


def nearest_picture(t: Translator, item: ReviewItem, address: str | None) -> str:
    """Return the most similar real photo with its similarity, or say that there is none."""
    if address is None:
        return _empty_figure(t("picture.nearest"), t("picture.no_nearest"))
    similarity = item.nearest_similarity
    side = "" if similarity is None else escape(t("picture.similarity", value=f"{similarity:.2f}"))
    return _figure(
        label=t("picture.nearest"),
        side=side,
        alt=t("picture.nearest_alt", name=item.product_name),
        address=address,
        sharp=False,
        marker='data-testid="nearest"',
    )


def record(t: Translator, item: ReviewItem, spec: Specification, copy_limit: float | None) -> str:
    """Return prompt, attributes and scores; `copy_limit` is given when the picture may be a copy."""
    under = [spec.category, f"{t('spec.sku')} {spec.sku}"]
    if spec.variant:
        under.append(f"{t('spec.variant')} {spec.variant}")
    risk = ""
    if copy_limit is not None:
        risk = f'<div class="risk">⚠ {escape(t("picture.copy_risk", limit=f"{copy_limit:.2f}"))}</div>'
    return (
        f'<section class="record">{risk}<h2>{escape(spec.name)}</h2>'
        f'<div class="sub">{escape(" · ".join(part for part in under if part))}</div>'
        f'<div class="head">{escape(t("spec.prompt"))}</div><blockquote>{escape(item.prompt)}</blockquote>'
        f'<div class="head">{escape(t("spec.title"))}</div>{_description(spec.description)}'
        f"{_attributes(t, spec)}"
        f'<div class="head">{escape(t("spec.scores"))}</div>'
        f'<div class="small">{_scores(item.scores)}{escape(t("spec.run"))} {escape(item.run)} · '
        f"{escape(t('spec.seed'))} {item.seed}</div></section>"
    )


def last_decision(t: Translator, made: Decision, address: str) -> str:
    """Return one of the last decisions: thumbnail, sign, word, and why."""
    state = "superseded" if made.superseded else ""
    why = ", ".join(t(f"reason.{code}") for code in made.reasons)
    verdict = "void" if made.superseded else made.verdict
    word = f"{SIGNS[verdict]} {t(f'verdict.{verdict}')}"
    return (
        f'<div class="last {escape(made.verdict)} {state}" title="{escape(made.product_name)}">'
        f'<img src="{escape(address)}" alt="{escape(made.product_name)}">'
        f"<div><b>{escape(word)}</b><br>{escape(why or made.product_name)}</div></div>"
    )


def note(text: str, kind: str = "info") -> str:
    """Return a one-line message; screen readers speak it."""
    return f'<div class="note {escape(kind)}" role="status">{escape(text)}</div>'


def language_switch(t: Translator) -> None:
    """Draw the choice of language; buttons, because a focused radio or checkbox swallows the shortcut keys."""
    st.segmented_control(
        t("app.language"),
        LANGUAGES,
        key=state.LANGUAGE,
        required=True,
        format_func=lambda code: t("app.english" if code == "en" else "app.japanese"),
        on_change=state.remember_language,
        label_visibility="collapsed",
    )


def _figure(*, label: str, side: str, alt: str, address: str, sharp: bool, marker: str) -> str:
    return (
        f'<figure class="shot"><div class="label">{escape(label)}<span>{side}</span></div>'
        f'<div class="surround"><img {marker} class="{"sharp" if sharp else "smooth"}" src="{escape(address)}" '
        f'alt="{escape(alt)}"></div></figure>'
    )


def _empty_figure(label: str, text: str) -> str:
    return (
        f'<figure class="shot"><div class="label">{escape(label)}</div>'
        f'<div class="surround"><div class="none">{escape(text)}</div></div></figure>'
    )


def _size_text(t: Translator, size: tuple[int, int] | None) -> str:
    return "" if size is None else escape(t("picture.size", width=size[0], height=size[1])) + " · "


def _original_link(t: Translator, address: str) -> str:
    return f'<a href="{escape(address)}" target="_blank" rel="noopener">{escape(t("picture.original"))}</a>'


def _description(text: str) -> str:
    # A scrolling region must be reachable by keyboard.
    return f'<p class="description" tabindex="0">{escape(text)}</p>' if text else ""


def _attributes(t: Translator, spec: Specification) -> str:
    facts = [fact for fact in spec.attributes if fact.kind == "fact"]
    if not facts:
        return "" if spec.description else f'<div class="small">{escape(t("spec.none"))}</div>'
    rows = (
        f'<dt>{escape(fact.name)}</dt><dd lang="{escape(fact.lang)}">{escape(fact.value)}'
        f"{' ' + escape(fact.unit) if fact.unit and fact.value[-1:].isdigit() else ''}</dd>"
        for fact in facts
    )
    return f"<dl>{''.join(rows)}</dl>"


def _scores(scores: Mapping[str, float]) -> str:
    return "".join(f"{escape(name)} {value:.3f} · " for name, value in sorted(scores.items()))
