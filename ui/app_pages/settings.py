"""The settings screen: one's own keys and language; for those who may, people with their roles and the rules."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from catalog import people, policies
from catalog.errors import CatalogError
from catalog.phrases import told
from catalog.policy import Policy
from catalog.schema import ROLES
from ui import address, identity, keys, lines, review_config, setting_tables, state, tables, workspace
from ui.i18n import LANGUAGES, Translator
from ui.identity import Person
from ui.keys import KeyRefused

SCREEN = "settings"
SHORTEST_LEASE_S = 30.0
LONGEST_LEASE_S = 86400.0
LONGEST_VIEW_S = 60.0
_LANGUAGE = "settings_language"


def page() -> None:
    """Draw the screen."""
    t, person = state.translator(), identity.require()
    st.html(setting_tables.STYLE)
    st.html(tables.heading(t("app.page_settings")))
    lines.show(t, SCREEN)
    left, right = st.columns(2, gap="large")
    with left:
        _self(t, person)
        _keys(t, person)
    with right:
        _rules(t, person)
        if identity.may(person, "people"):
            _people(t, person)


# --- oneself ----------------------------------------------------------------------------------------


def _self(t: Translator, person: Person) -> None:
    role = t("settings.role_line", role=t(f"roles.{person.role}"))
    checked = t("settings.checked" if person.authenticated else "settings.not_checked")
    st.html(setting_tables.heading(t("settings.you", name=person.name), role, checked))
    st.session_state[_LANGUAGE] = t.language
    st.segmented_control(
        t("app.language"),
        LANGUAGES,
        key=_LANGUAGE,
        required=True,
        format_func=lambda code: t("app.english" if code == "en" else "app.japanese"),
        on_change=_language_chosen,
        args=(person.name,),
    )
    if person.source == "local":
        st.button(t("identity.change"), key="settings-change-person", on_click=identity.drop_name)


def _language_chosen(name: str) -> None:
    st.session_state[state.LANGUAGE] = st.session_state[_LANGUAGE]
    state.remember_language()
    people.save_settings(workspace.catalog(), name, locale=st.session_state[_LANGUAGE])


def _keys(t: Translator, person: Person) -> None:
    held = keys.keys_of(people.known(workspace.catalog(), person.name).settings.get(keys.SETTING))
    st.html(setting_tables.heading(t("settings.keys"), t("settings.keys_hint")))
    st.html(setting_tables.keys(t, held))
    with st.form("keys", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        address.say_again("key_action")
        st.selectbox(
            t("settings.action"),
            tuple(keys.DEFAULT_KEYS),
            key="key_action",
            format_func=lambda action: t(f"action.{action}"),
            filter_mode=None,
            width=240,
        )
        st.text_input(t("settings.new_key"), key="key_letter", max_chars=1, autocomplete="off", width=110)
        st.form_submit_button(t("settings.save_key"), on_click=_change_key, args=(person.name,))
    st.button(t("keys.reset"), key="reset-keys", on_click=_keep_keys, args=(person.name, dict(keys.DEFAULT_KEYS)))


def _change_key(name: str) -> None:
    held = keys.keys_of(people.known(workspace.catalog(), name).settings.get(keys.SETTING))
    action, letter = str(st.session_state["key_action"]), str(st.session_state["key_letter"] or "").strip()
    try:
        changed = keys.changed(held, action, letter)
    except KeyRefused as refused:
        t, values = state.translator(), dict(refused.values)
        if "action" in values:
            values["action"] = t(f"action.{values['action']}")
        lines.say(SCREEN, refused.message, "warning", **values)
        return
    _keep_keys(name, changed)
    st.session_state["key_letter"] = ""


def _keep_keys(name: str, held: dict[str, str]) -> None:
    catalog = workspace.catalog()
    kept = dict(people.known(catalog, name).settings)
    people.save_settings(catalog, name, settings={**kept, keys.SETTING: keys.own_keys(held)})
    lines.say(SCREEN, "keys.saved")


# --- the rules --------------------------------------------------------------------------------------


def _rules(t: Translator, person: Person) -> None:
    catalog = workspace.catalog()
    rules = policies.current(catalog)
    st.html(setting_tables.heading(t("settings.rules"), t("settings.rules_hint")))
    st.html(setting_tables.rules(t, rules))
    if identity.may(person, "policy"):
        _rules_form(t, person, rules)
    history = setting_tables.versions(t, policies.versions(catalog))
    if history:
        st.html(history)


def _rules_form(t: Translator, person: Person, rules: Policy) -> None:
    """Draw the form; each key holds the version, so that it begins anew when somebody else saved one."""
    with st.form("rules"):
        number: dict[str, Any] = {"min_value": 0.0, "step": 0.1}
        st.number_input(t("settings.quorum"), 1, 9, rules.quorum, 1, key=_field("quorum", rules))
        st.number_input(
            t("settings.lease_s"),
            min(SHORTEST_LEASE_S, rules.lease_s),
            max(LONGEST_LEASE_S, rules.lease_s),
            rules.lease_s,
            30.0,
            format="%g",
            key=_field("lease_s", rules),
        )
        st.number_input(
            t("settings.min_view_s"),
            max_value=max(LONGEST_VIEW_S, rules.min_view_s),
            value=rules.min_view_s,
            format="%g",
            key=_field("min_view_s", rules),
            **number,
        )
        st.number_input(
            t("settings.second_percent"),
            max_value=100.0,
            value=100 * rules.second_opinion_share,
            format="%g",
            key=_field("second", rules),
            **number,
        )
        st.checkbox(t("settings.skip_reason"), rules.skip_needs_reason, key=_field("skip", rules))
        st.text_area(t("settings.note"), key=_field("note", rules), max_chars=policies.NOTE_MAX_CHARS, height=80)
        st.form_submit_button(t("settings.save_rules"), type="primary", on_click=_save_rules, args=(person.name, rules))


def _save_rules(name: str, rules: Policy) -> None:
    def said(field: str) -> Any:
        return st.session_state[_field(field, rules)]

    note = str(said("note") or "").strip()
    if not note:
        lines.say(SCREEN, "settings.no_note", "warning")
        return
    changed = replace(
        rules,
        quorum=int(said("quorum")),
        lease_s=float(said("lease_s")),
        min_view_s=float(said("min_view_s")),
        second_opinion_share=float(said("second")) / 100,
        skip_needs_reason=bool(said("skip")),
    )
    if changed == rules:
        lines.say(SCREEN, "settings.nothing_changed", "warning")
        return
    _guarded(
        lambda: policies.save(workspace.catalog(), name, changed, note).version,
        lambda version: lines.say(SCREEN, "settings.rules_saved", version=version),
    )


def _field(name: str, rules: Policy) -> str:
    return f"rules-{name}-{rules.version}"


# --- people -----------------------------------------------------------------------------------------


def _people(t: Translator, person: Person) -> None:
    everyone = people.everyone(workspace.catalog())
    listed = review_config.current().roles
    st.html(setting_tables.heading(t("settings.people"), t("settings.people_hint")))
    st.html(setting_tables.people(t, everyone))
    by_name = {one.name: one for one in everyone}
    name = st.selectbox(t("settings.person"), tuple(by_name), key="people_name")
    chosen = by_name[name if name in by_name else person.name]
    if chosen.name in listed:
        st.html(setting_tables.heading("", t("settings.listed", role=t(f"roles.{listed[chosen.name]}"))))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="people-actions"):
        role = st.selectbox(
            t("settings.role"),
            ROLES,
            index=ROLES.index(chosen.role),
            key=f"role-{chosen.name}-{chosen.role}",
            format_func=lambda role: t(f"roles.{role}"),
            filter_mode=None,
            width=200,
        )
        st.button(t("settings.save_role"), key="save-role", on_click=_set_role, args=(person.name, chosen.name, role))
        label = t("settings.stop" if chosen.active else "settings.let_in")
        st.button(label, key="set-active", on_click=_set_active, args=(person.name, chosen.name, not chosen.active))


def _set_role(actor: str, name: str, role: str) -> None:
    _guarded(
        lambda: people.set_role(workspace.catalog(), actor, name, role),
        lambda made: lines.say(SCREEN, "settings.role_saved", name=made.name),
    )


def _set_active(actor: str, name: str, active: bool) -> None:
    _guarded(
        lambda: people.set_active(workspace.catalog(), actor, name, active),
        lambda made: lines.say(SCREEN, "settings.let_in_done" if active else "settings.stopped_done", name=made.name),
    )


def _guarded(move: Callable[[], Any], done: Callable[[Any], None]) -> None:
    """Run a move; what the rules refuse becomes a line on the screen and nothing else."""
    try:
        made = move()
    except (CatalogError, ValueError) as error:
        lines.say(SCREEN, "settings.refused", "warning", detail=told(error))
        return
    done(made)


page()
