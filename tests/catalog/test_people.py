"""Who may do what, and who gives out roles."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog import people, policies, review, roles
from catalog.errors import ReviewRefused
from catalog.policy import Policy
from catalog.roles import NotAllowed
from catalog.schema import ReviewerRow
from catalog.store import Catalog


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path) as opened:
        yield opened


def test_the_first_local_person_is_admin_and_later_ones_review(catalog: Catalog) -> None:
    assert people.sign_in(catalog, "aki").role == "admin"
    assert people.sign_in(catalog, "ben").role == "reviewer"
    assert people.sign_in(catalog, "aki").role == "admin"
    assert [person.name for person in people.everyone(catalog)] == ["aki", "ben"]


def test_a_name_others_vouch_for_gets_its_role_from_the_configuration(catalog: Catalog) -> None:
    assert people.sign_in(catalog, "aki", source="oidc").role == "reviewer"
    assert people.sign_in(catalog, "aki", source="oidc", role="lead").role == "lead"
    assert people.sign_in(catalog, "aki").source == "oidc"


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("reviewer", {"decide"}),
        ("lead", {"decide", "adjudicate", "bulk", "policy", "export", "audit"}),
        ("auditor", {"audit"}),
        ("admin", set(roles.PERMISSIONS)),
    ],
)
def test_roles_allow_what_they_should_and_nothing_else(catalog: Catalog, role: str, allowed: set[str]) -> None:
    people.sign_in(catalog, "aki", role=role)
    for permission in roles.PERMISSIONS:
        if permission in allowed:
            assert roles.require(catalog, "aki", permission) == 1
        else:
            with pytest.raises(NotAllowed, match=f"aki is {role} and may not") as caught:
                roles.require(catalog, "aki", permission)
            assert "\n" not in str(caught.value)


def test_an_auditor_writes_nothing(catalog: Catalog) -> None:
    people.sign_in(catalog, "olga", role="auditor")
    with pytest.raises(NotAllowed):
        review.claim(catalog, "olga")
    with pytest.raises(NotAllowed):
        review.undo(catalog, "olga")
    with pytest.raises(NotAllowed):
        policies.save(catalog, "olga", Policy(), "")
    with pytest.raises(NotAllowed):
        people.set_role(catalog, "olga", "olga", "admin")


def test_an_admin_gives_roles_and_puts_people_out_of_action(catalog: Catalog) -> None:
    for name in ("aki", "ben"):
        people.sign_in(catalog, name)
    assert people.set_role(catalog, "aki", "ben", "lead").role == "lead"
    with pytest.raises(NotAllowed, match="ben is lead and may not change roles; admin may"):
        people.set_role(catalog, "ben", "ben", "admin")
    assert not people.set_active(catalog, "aki", "ben", False).active
    with pytest.raises(NotAllowed, match="ben may not act here any more"):
        review.claim(catalog, "ben")


def test_somebody_must_stay_admin(catalog: Catalog) -> None:
    people.sign_in(catalog, "aki")
    for change in (
        lambda: people.set_role(catalog, "aki", "aki", "reviewer"),
        lambda: people.set_active(catalog, "aki", "aki", False),
    ):
        with pytest.raises(ReviewRefused, match="aki is the last admin; make somebody else admin first"):
            change()
    assert people.known(catalog, "aki").role == "admin"


def test_unknown_people_roles_and_sources_are_one_line(catalog: Catalog) -> None:
    people.sign_in(catalog, "aki")
    with pytest.raises(ReviewRefused, match="nobody here is called 'akki'; there are: aki"):
        people.set_role(catalog, "aki", "akki", "lead")
    with pytest.raises(ReviewRefused, match="no role 'boss'; allowed: reviewer, lead, auditor, admin"):
        people.set_role(catalog, "aki", "aki", "boss")
    with pytest.raises(ReviewRefused, match="no source 'ldap' of names; allowed: local, oidc, proxy"):
        people.sign_in(catalog, "ben", source="ldap")
    with pytest.raises(NotAllowed, match="nobody here is called 'ben'"):
        roles.require(catalog, "ben", "decide")
    assert people.person(catalog, "ben") is None


def test_nobody_takes_the_name_of_the_rules(catalog: Catalog) -> None:
    with pytest.raises(ReviewRefused, match="is kept for rules"):
        people.sign_in(catalog, people.RULES)
    with catalog.write() as session:
        people.rules_id(session)
    assert people.sign_in(catalog, "aki").role == "admin", "the rules are no person"
    assert [person.name for person in people.everyone(catalog)] == ["aki"]
    with pytest.raises(ReviewRefused):
        people.set_active(catalog, "aki", people.RULES, True)


def test_people_keep_their_language_and_keys(catalog: Catalog) -> None:
    people.sign_in(catalog, "aki")
    people.save_settings(catalog, "aki", locale="ja", settings={"keys": {"approve": "q"}})
    found = people.save_settings(catalog, "aki")
    assert (found.locale, json.dumps(found.settings)) == ("ja", '{"keys": {"approve": "q"}}')


def test_policies_are_versions_that_never_change(catalog: Catalog) -> None:
    people.sign_in(catalog, "aki")
    assert policies.current(catalog) == Policy()
    first = policies.save(catalog, "aki", Policy(quorum=2, auto_reject={"text_match": 0.2}), "two see more")
    second = policies.save(catalog, "aki", Policy(lease_s=60), "shorter")
    assert (first.version, second.version) == (1, 2)
    assert policies.current(catalog) == second
    assert [(found.policy, found.note) for found in policies.versions(catalog)] == [
        (second, "shorter"),
        (first, "two see more"),
    ]
    with catalog.read() as session:
        assert policies.by_version(session) == {0: Policy(), 1: first, 2: second}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"quorum": 0}, "quorum must be from 1 to 9, got 0"),
        ({"audit_share": 0.01}, "audit_share must be from 0.05 to 1, got 0.01"),
        ({"second_opinion_share": 1.5}, "second_opinion_share must be from 0 to 1"),
        ({"auto_reject": {"text_match": float("nan")}}, "auto_reject must give a finite threshold"),
        ({"lease_s": float("inf")}, "lease_s must be from 0 to 604800 seconds"),
        ({"min_view_s": -1.0}, "min_view_s must be from 0 to 3600 seconds"),
        ({"copy_similarity": 2.0}, "copy_similarity must be from -1 to 1"),
    ],
)
def test_policies_refuse_values_outside_their_range(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Policy(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "again"),
    [("Ben", "ben"), ("アキ", "ｱｷ"), ("Weiß", "WEISS"), ("Aki Ito", "aki  ito"), ("Ａｋｉ", "aki")],
)
def test_a_name_written_like_another_makes_no_second_person(catalog: Catalog, name: str, again: str) -> None:
    people.sign_in(catalog, name)
    for attempt in (
        lambda: people.sign_in(catalog, again),
        lambda: people.sign_in(catalog, again, source="proxy"),
        lambda: review.claim(catalog, again),
    ):
        with pytest.raises(people.WrittenLike, match=f"'{again}' is written like '{name}', who is here already"):
            attempt()
    assert [person.name for person in people.everyone(catalog)] == [name]
    found = people.alike(catalog, again)
    assert found is not None and found.name == name
    assert people.alike(catalog, "somebody else") is None


def test_people_whose_names_are_alike_since_earlier_go_on(catalog: Catalog) -> None:
    with catalog.write() as session:
        session.add_all(ReviewerRow(name=name) for name in ("Ben", "ben"))
    assert people.sign_in(catalog, "ben").name == "ben"
    found = people.alike(catalog, "BEN")
    assert found is not None and found.name == "Ben", "who came first"
