"""Every role and action: the one decision, as a table."""

import pytest

from domain.access import Action, Actor, Decision, Role, decide, owner_filter

A, F, H = Decision.ALLOWED, Decision.FORBIDDEN, Decision.HIDDEN

#                              ADMIN     MANAGER   USER     (own, another's)
TABLE: dict[Action, dict[Role, tuple[Decision, Decision]]] = {
    Action.MAKE_BOTS: {Role.ADMIN: (A, A), Role.MANAGER: (A, A), Role.USER: (A, A)},
    Action.USE_BOT: {Role.ADMIN: (A, A), Role.MANAGER: (A, A), Role.USER: (A, H)},
    Action.USE_JOBS: {Role.ADMIN: (A, A), Role.MANAGER: (A, A), Role.USER: (F, F)},
    Action.NAME_SERVERS: {Role.ADMIN: (A, A), Role.MANAGER: (F, F), Role.USER: (F, F)},
    Action.MANAGE_USERS: {Role.ADMIN: (A, A), Role.MANAGER: (F, F), Role.USER: (F, F)},
    Action.MANAGE_SETTINGS: {Role.ADMIN: (A, A), Role.MANAGER: (F, F), Role.USER: (F, F)},
    Action.READ_AUDIT: {Role.ADMIN: (A, A), Role.MANAGER: (F, F), Role.USER: (F, F)},
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_table(role: Role, action: Action) -> None:
    own, anothers = TABLE[action][role]
    assert decide(role, action, own=True) is own
    assert decide(role, action, own=False) is anothers


@pytest.mark.parametrize(
    ("role", "owner"), [(Role.ADMIN, None), (Role.MANAGER, None), (Role.USER, "u")]
)
def test_queries_are_narrowed_for_users_only(role: Role, owner: str | None) -> None:
    assert owner_filter(Actor("u", "u@example.com", role)) == owner
