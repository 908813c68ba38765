"""Pieces of the conflicts screen as HTML. Everything that comes from the catalogue is escaped here, once."""

from collections.abc import Mapping, Sequence
from html import escape

from catalog.policy import REJECT_REASONS
from catalog.records import Decision, ReviewItem, Specification
from catalog.review import Conflict, Opinion
from ui import tables
from ui.i18n import Translator
from ui.real_photos import ShownPhoto

SIGNS = {"approve": "✓", "reject": "✕", "changes": "✎", "not_chosen": "○"}
"""A sign beside each verdict, so that colour alone never tells."""
STYLE = """
<style>
.dispute h2 {font-size: 1.2rem; font-weight: 650; margin: 0 0 .1rem; padding: 0; overflow-wrap: anywhere}
.dispute .under {font-size: .9rem; opacity: .85; margin: 0 0 .5rem; overflow-wrap: anywhere}
.dispute blockquote {margin: 0 0 .6rem; padding: .1rem 0 .1rem .8rem; border-left: 3px solid currentColor;
  line-height: 1.5;
  overflow-wrap: anywhere}
.dispute .pictures {display: grid; grid-template-columns: 1fr 1fr; gap: .9rem}
.dispute figure {margin: 0}
.dispute figcaption {font-size: .88rem; font-weight: 600; margin-bottom: .3rem; display: flex;
  justify-content: space-between;
  gap: .8rem}
.dispute figcaption span {font-weight: 400; font-variant-numeric: tabular-nums}
.dispute .surround {background: var(--ground); border-radius: 10px; padding: 12px; aspect-ratio: 1; max-height: 52vh;
  width: 100%;
  box-sizing: border-box; display: grid; place-items: center}
.dispute .surround img {width: 100%; height: 100%; min-height: 0; object-fit: contain}
.dispute .surround img.sharp {image-rendering: pixelated}
.dispute .surround p {margin: 0; font-size: .92rem; text-align: center}
.dispute a {color: inherit}
.dispute dl {display: grid; grid-template-columns: minmax(5.5rem, 36%) 1fr; gap: .25rem .9rem; font-size: .92rem;
  margin: .6rem 0 0 !important; padding: 0 !important; max-width: 34rem;
  max-height: 14rem; overflow-y: auto}
.dispute dt {opacity: .82; overflow-wrap: anywhere}
.dispute dd {margin: 0 !important; padding: 0 !important; overflow-wrap: anywhere}
.opinions {display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: .8rem}
.opinion {border: 1px solid var(--rule); border-radius: 10px;
  padding: .7rem .9rem;
  overflow-wrap: anywhere}
.opinion h3 {font-size: .85rem; font-weight: 600; margin: 0; padding: 0; opacity: .85}
.opinion .verdict {font-size: 1.15rem; font-weight: 650; margin: .1rem 0 .3rem}
.opinion p, .opinion ul {margin: 0 0 .35rem; font-size: .93rem; line-height: 1.5} .opinion ul {padding-left: 1.1rem}
.opinion .note {background: none; padding: 0; white-space: pre-wrap}
.opinion .when {font-size: .82rem; opacity: .85; margin: 0}
.risk-line {font-weight: 600; font-size: .93rem; margin: .2rem 0 .6rem; padding: .42rem .8rem; border-radius: 8px;
  background: color-mix(in srgb, var(--amber) 20%, transparent)}
</style>
"""


def pictures(
    t: Translator, item: ReviewItem, address: str | None, photo: tuple[str, ShownPhoto] | None, *, sharp: bool
) -> str:
    """Return the candidate beside a real photo; None is for what has no file.

    Args:
        t: Strings of the tab's language.
        item: Whose pictures.
        address: Of the candidate.
        photo: Address of a real photo, and what is said over it.
        sharp: Whether the candidate is so small that its pixels should stay squares.
    """
    label, side = (t("picture.nearest"), "") if photo is None else (photo[1].label, photo[1].side)
    return (
        f'<div class="dispute"><div class="pictures">'
        f"{_figure(t('picture.generated'), _original(t, address), _picture(t, item, address, sharp=sharp))}"
        f"{_figure(label, f'<bdi>{escape(side)}</bdi>', _photo(t, photo))}</div></div>"
    )


def record(t: Translator, item: ReviewItem, spec: Specification, copy_limit: float | None) -> str:
    """Return the product, the prompt and what the record states; `copy_limit` is given for a possible copy."""
    risk = ""
    if copy_limit is not None:
        risk = f'<p class="risk-line">⚠ {escape(t("picture.copy_risk", limit=f"{copy_limit:.2f}"))}</p>'
    elif item.flagged:
        risk = f'<p class="risk-line">⚑ {escape(t("picture.flagged"))}</p>'
    facts = "".join(
        f'<dt>{escape(fact.name)}</dt><dd lang="{escape(fact.lang)}"><bdi>{escape(fact.value)}</bdi></dd>'
        for fact in spec.attributes
        if fact.kind == "fact"
    )
    listed = f'<dl tabindex="0" aria-label="{escape(t("spec.title"))}">{facts}</dl>' if facts else ""
    return (
        f'<section class="dispute">{risk}<h2><bdi>{escape(spec.name)}</bdi></h2>'
        f'<p class="under">{escape(t("spec.sku"))} <bdi>{escape(spec.sku)}</bdi> · '
        f"{escape(t('spec.run'))} <bdi>{escape(item.run)}</bdi></p>"
        f'<blockquote dir="auto">{escape(item.prompt)}</blockquote>{listed}</section>'
    )


def opinions(t: Translator, conflict: Conflict) -> str:
    """Return the verdicts side by side, by number: whose they are stays hidden until the conflict is settled."""
    found = "".join(_opinion(t, opinion) for opinion in conflict.opinions)
    return f'<div class="opinions" role="group" aria-label="{escape(t("conflicts.opinions"))}">{found}</div>'


def settled(t: Translator, log: Sequence[Decision]) -> str:
    """Return who had said what on a conflict that is settled now."""
    said = "".join(
        f"<li><bdi>{escape(made.reviewer)}</bdi>: {SIGNS[made.verdict]} {escape(t(f'verdict.{made.verdict}'))}"
        f"{escape(_why(t, made.reasons))}{_note(made.note)}</li>"
        for made in log
        if made.verdict in SIGNS
    )
    name = log[0].product_name if log else ""
    return f'<div class="opinion"><h3>{escape(t("conflicts.settled", name=name))}</h3><ul>{said}</ul></div>'


def _opinion(t: Translator, opinion: Opinion) -> str:
    note = f'<p class="note" dir="auto">{escape(opinion.note)}</p>' if opinion.note else ""
    reasons = ", ".join(_reason(t, code) for code in opinion.reasons)
    return (
        f'<section class="opinion"><h3>{escape(t("conflicts.opinion", number=opinion.number))}</h3>'
        f'<p class="verdict">{SIGNS[opinion.verdict]} {escape(t(f"verdict.{opinion.verdict}"))}</p>'
        f"{f'<p>{escape(reasons)}</p>' if reasons else ''}{note}{_checks(t, opinion.checks)}"
        f'<p class="when">{escape(t("conflicts.when", moment=tables.moment(opinion.decided_at)))}</p></section>'
    )


def _checks(t: Translator, checks: Mapping[str, str]) -> str:
    rows = "".join(
        f"<li><bdi>{escape(name)}</bdi>: {escape(t(f'conflicts.check_{verdict}'))}</li>"
        for name, verdict in checks.items()
    )
    return f"<ul>{rows}</ul>" if rows else ""


def _reason(t: Translator, code: str) -> str:
    return t(f"reason.{code}") if code in REJECT_REASONS else t("conflicts.low_score")


def _why(t: Translator, reasons: Sequence[str]) -> str:
    return f" ({', '.join(_reason(t, code) for code in reasons)})" if reasons else ""


def _note(note: str) -> str:
    return f' – <span dir="auto">{escape(note)}</span>' if note else ""


def _figure(label: str, side: str, inside: str) -> str:
    return (
        f"<figure><figcaption>{escape(label)}<span>{side}</span></figcaption>"
        f'<div class="surround">{inside}</div></figure>'
    )


def _picture(t: Translator, item: ReviewItem, address: str | None, *, sharp: bool) -> str:
    if address is None:
        return f"<p>⚠ {escape(t('picture.missing'))}</p>"
    alt = escape(t("picture.generated_alt", name=item.product_name))
    return f'<img class="{"sharp" if sharp else ""}" src="{escape(address)}" alt="{alt}" data-item="{item.id}">'


def _photo(t: Translator, photo: tuple[str, ShownPhoto] | None) -> str:
    if photo is None:
        return f"<p>{escape(t('picture.no_nearest'))}</p>"
    return f'<img src="{escape(photo[0])}" alt="{escape(photo[1].alt)}">'


def _original(t: Translator, address: str | None) -> str:
    if address is None:
        return ""
    return f'<a href="{escape(address)}" target="_blank" rel="noopener">{escape(t("picture.original"))}</a>'
