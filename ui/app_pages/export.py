"""Export: count what would leave, deliver it, check deliveries. What may leave is up to `catalog.export`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from catalog import deliveries as made_before
from catalog import export, roles
from catalog.errors import CatalogError
from catalog.exporters import FORMATS
from catalog.phrases import say, told
from catalog.store import Catalog
from ui import address, deliveries, delivery_job, export_config, identity, notices, state, tables, workspace
from ui.delivery_job import Job
from ui.i18n import Translator
from ui.identity import Person

FORMAT, BASE_URL, SIGN = "format", "base_url", "sign"
COUNTED = "export_counted"
COUNTING = "export_counting"
CHECKED = "checked_delivery"
BEFORE = "deliveries_before"
PATH_MAX_CHARS = 1000
PAGE = 20
"""Earlier deliveries in the table."""
POLL_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was chosen for an export."""

    format: str
    base_url: str
    sign: bool


def page() -> None:
    """Draw the screen."""
    t, person, catalog = state.translator(), identity.require(), workspace.catalog()
    st.html(tables.STYLE)
    st.html(tables.heading(t("app.page_export"), t("export.what")))
    notices.show(t)
    job = delivery_job.current(catalog.workspace)
    running = job is not None and job.running
    _options(t)
    _buttons(t, person, running)
    if st.session_state.pop(COUNTING, False):
        with st.spinner(t("export.counting")):
            _count(person.name)
    _counted(t)
    if job is not None:
        st.html(tables.part(t("export.job")))
        if running:
            _watch(t)
        else:
            st.html(deliveries.outcome(t, job, catalog.workspace))
    _earlier(t, person, running)


def _options(t: Translator) -> None:
    address.seed(FORMAT, FORMATS, next(iter(FORMATS)))
    left, right = st.columns(2, gap="large")
    with left:
        chosen = st.selectbox(
            t("export.format"),
            list(FORMATS),
            key=FORMAT,
            format_func=partial(deliveries.format_name, t),
            on_change=address.keep,
            args=(FORMAT,),
        )
    with right:
        if FORMATS[chosen].needs_base_url:
            st.text_input(
                t("export.base_url"),
                key=BASE_URL,
                max_chars=PATH_MAX_CHARS,
                placeholder="https://cdn.example.com/pictures",
                help=t("export.base_url_help"),
            )
    _signing(t)


def _signing(t: Translator) -> None:
    """Offer to sign with what the settings of the server name; nothing typed here is looked for on its disk."""
    try:
        signing = export_config.signing(workspace.catalog().workspace)
    except CatalogError as error:
        st.html(tables.refusal(t, "export.sign_wrong", told(error)))
        return
    if signing is None:
        st.html(tables.aside(t("export.sign_not_set")))
    else:
        st.checkbox(t("export.sign"), key=SIGN, help=t("export.sign_what"))


def _buttons(t: Translator, person: Person, running: bool) -> None:
    with st.container(horizontal=True, gap="small"):
        st.button(t("export.count"), key="count-export", on_click=_ask_count)
        st.button(
            t("export.start"),
            key="start-export",
            type="primary",
            disabled=running,
            on_click=_start,
            args=(person.name,),
        )


def _counted(t: Translator) -> None:
    options, report = st.session_state.get(COUNTED, (None, None))
    if report is not None and options == _chosen():
        st.html(tables.part(t("export.counted")))
        st.html(deliveries.counted(t, report))


@st.fragment(run_every=POLL_S)
def _watch(t: Translator) -> None:
    """Draw how far the job is; the whole page once it has ended."""
    job = delivery_job.current(workspace.catalog().workspace)
    if job is None or not job.running:
        st.rerun()
        return
    of = deliveries.format_name(t, job.of) if job.what == "export" else job.of
    st.html(tables.aside(t(f"export.job_{job.what}", of=of, starter=job.starter)))
    if job.what == "export":
        step = t(deliveries.STEPS.get(job.step, "export.step_begin"))
        st.progress(job.share, text=f"{step} {job.done:,.0f} / {job.total:,.0f}" if job.total else step)
        st.button(t("export.stop"), key="stop-export", on_click=job.stop, help=t("export.stop_help"))


def _earlier(t: Translator, person: Person, running: bool) -> None:
    catalog = workspace.catalog()
    before: int | None = st.session_state.get(BEFORE)
    made = made_before.deliveries(catalog, person.name, before_id=before, limit=PAGE + 1)
    more, made = len(made) > PAGE, made[:PAGE]
    where = t("export.earlier_where", workspace=catalog.workspace) if made else ""
    st.html(tables.part(t("export.earlier"), where) + deliveries.earlier(t, made, catalog.workspace))
    if not made:
        return
    names = {one.id: deliveries.folder(one.path, catalog.workspace) for one in made}
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.selectbox(
            t("export.to_check"), list(names), format_func=lambda id_: names.get(id_, ""), key=CHECKED, width=420
        )
        paths = {one.id: one.path for one in made}
        st.button(
            t("export.check"), key="check-delivery", disabled=running, on_click=_check, args=(person.name, paths, names)
        )
        if before is not None:
            st.button(t("export.newest"), key="newest-deliveries", on_click=_page_from, args=(None,))
        if more:
            st.button(t("export.older"), key="older-deliveries", on_click=_page_from, args=(made[-1].id,))


# --- what a button does -----------------------------------------------------------------------------


def _ask_count() -> None:
    st.session_state[COUNTING] = True


def _count(name: str) -> None:
    """Count for the options on screen, and keep the result with them."""
    catalog, chosen = workspace.catalog(), _chosen()
    st.session_state.pop(COUNTED, None)
    try:
        report = export.export(
            catalog,
            format=chosen.format,
            base_url=chosen.base_url,
            **_signature(catalog, chosen),
            dry_run=True,
            actor=name,
        )
    except (CatalogError, OSError) as error:
        st.html(deliveries.refusal(state.translator(), "export.not_counted", told(error)))
    else:
        st.session_state[COUNTED] = (chosen, report)


def _start(name: str) -> None:
    """Start the export in the server, unless one runs."""
    catalog, chosen = workspace.catalog(), _chosen()

    def send() -> None:
        roles.require(catalog, name, "export")
        work = partial(_deliver, catalog, chosen, name)
        _began(delivery_job.start(catalog.workspace, "export", chosen.format, name, work))

    notices.guarded("export.failed", send)


def _deliver(catalog: Catalog, chosen: Options, name: str, progress: delivery_job.Progress) -> export.ExportReport:
    return export.export(
        catalog,
        format=chosen.format,
        base_url=chosen.base_url,
        **_signature(catalog, chosen),
        actor=name,
        progress=progress,
    )


def _check(name: str, paths: Mapping[int, Path], names: Mapping[int, str]) -> None:
    """Read a delivery back in the server."""
    catalog = workspace.catalog()
    chosen: int | None = st.session_state.get(CHECKED)
    if chosen is None or chosen not in paths:
        return
    path, folder = paths[chosen], names[chosen]

    def send() -> None:
        roles.require(catalog, name, "export")
        _began(delivery_job.start(catalog.workspace, "check", folder, name, lambda _: export.verify(path)))

    notices.guarded("export.failed", send)


def _began(job: Job | None) -> None:
    if job is None:
        notices.say("export.busy", "warning")


def _page_from(before_id: int | None) -> None:
    st.session_state[BEFORE] = before_id


def _chosen() -> Options:
    """Return the options on screen; a field that is not shown is empty."""
    format_, base_url = (str(st.session_state.get(name) or "").strip() for name in (FORMAT, BASE_URL))
    format_ = format_ if format_ in FORMATS else next(iter(FORMATS))
    return Options(
        format=format_,
        base_url=base_url if FORMATS[format_].needs_base_url else "",
        sign=bool(st.session_state.get(SIGN)),
    )


def _signature(catalog: Catalog, chosen: Options) -> dict[str, Any]:
    """Return how to sign, as the settings say now; raises CatalogError when they say nothing any more."""
    if not chosen.sign:
        return {}
    found = export_config.signing(catalog.workspace)
    if found is None:
        raise CatalogError(say("adapt.toml names no certificate any more; untick the signature, or put [export] back"))
    return {"c2pa": (found.certificate, found.key), "c2pa_tsa": found.stamps_from}


page()
