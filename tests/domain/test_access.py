"""Every role and action: the one decision, as a table."""

import pytest

from domain.access import (
    Action,
    Actor,
    Decision,
    Role,
    decide,
    maker_filter,
    narrower,
    owner_filter,
)

A, F, H = Decision.ALLOWED, Decision.FORBIDDEN, Decision.HIDDEN

#                              ADMIN     MANAGER   USER     (own, another's)
TABLE: dict[Action, dict[Role, tuple[Decision, Decision]]] = {
    Action.MAKE_BOTS: {Role.ADMIN: (A, A), Role.MANAGER: (A, A), Role.USER: (A, A)},
    Action.USE_BOT: {Role.ADMIN: (A, A), Role.MANAGER: (A, A), Role.USER: (A, H)},
    Action.USE_JOBS: {Role.ADMIN: (A, A), Role.MANAGER: (A, A), Role.USER: (F, F)},
    Action.NAME_SERVERS: {Role.ADMIN: (A, A), Role.MANAGER: (F, F), Role.USER: (F, F)},
    Action.SEE_USERS: {Role.ADMIN: (A, A), Role.MANAGER: (F, F), Role.USER: (F, F)},
    Action.MANAGE_USERS: {Role.ADMIN: (A, A), Role.MANAGER: (F, F), Role.USER: (F, F)},
    Action.MANAGE_SETTINGS: {Role.ADMIN: (A, A), Role.MANAGER: (F, F), Role.USER: (F, F)},
    Action.READ_AUDIT: {Role.ADMIN: (A, A), Role.MANAGER: (F, F), Role.USER: (F, F)},
    Action.MAKE_KEYS: {Role.ADMIN: (A, A), Role.MANAGER: (A, A), Role.USER: (A, A)},
    Action.USE_KEY: {Role.ADMIN: (A, A), Role.MANAGER: (A, H), Role.USER: (A, H)},
    Action.CHANGE_PASSWORD: {Role.ADMIN: (A, A), Role.MANAGER: (A, A), Role.USER: (A, A)},
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_table(role: Role, action: Action) -> None:
    own, anothers = TABLE[action][role]
    assert decide(role, action, own=True) is own
    assert decide(role, action, own=False) is anothers


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_an_api_key_may_what_its_role_may_but_what_would_outlive_it(
    role: Role, action: Action
) -> None:
    for own in (True, False):
        refused = action in (Action.MAKE_KEYS, Action.MANAGE_USERS, Action.CHANGE_PASSWORD)
        expected = F if refused else decide(role, action, own=own)
        assert decide(role, action, own=own, by_key=True) is expected


@pytest.mark.parametrize(
    ("one", "other", "less"),
    [
        (Role.ADMIN, Role.MANAGER, Role.MANAGER),
        (Role.USER, Role.ADMIN, Role.USER),
        (Role.MANAGER, Role.USER, Role.USER),
        (Role.ADMIN, Role.ADMIN, Role.ADMIN),
    ],
)
def test_a_key_may_no_more_than_its_maker(one: Role, other: Role, less: Role) -> None:
    assert narrower(one, other) is less
    assert narrower(other, one) is less


@pytest.mark.parametrize(
    ("role", "maker"), [(Role.ADMIN, None), (Role.MANAGER, "u"), (Role.USER, "u")]
)
def test_queries_for_keys_are_narrowed_for_all_but_admin(role: Role, maker: str | None) -> None:
    assert maker_filter(Actor("u", "u@example.com", role)) == maker


@pytest.mark.parametrize(
    ("role", "owner"), [(Role.ADMIN, None), (Role.MANAGER, None), (Role.USER, "u")]
)
def test_queries_are_narrowed_for_users_only(role: Role, owner: str | None) -> None:
    assert owner_filter(Actor("u", "u@example.com", role)) == owner
