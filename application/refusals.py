"""Why a use case refuses, named by what the asker can do about it; HTTP makes problems of them.

Raised by the use cases and the ports behind them; entrypoints/http/problems.py answers them.
`Unavailable` (application/jobs.py) is the remaining one: PostgreSQL is away.
"""

from collections.abc import Sequence

from msgspec import Struct

from domain.access import Action, Actor, Decision, decide


class FieldError(Struct, frozen=True):
    """What is wrong with one field; `field` is its path in the request's own (camelCase) names."""

    field: str
    message: str


class Refusal(Exception):  # noqa: N818 - each subclass says what it is
    """`str(refusal)` is a sentence for the person who asked."""


class NotFound(Refusal):
    """It does not exist, or not for whoever asks."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no such {what}.")


class Forbidden(Refusal):
    """It exists, and the asker's role may not do this."""


class Conflict(Refusal):
    """What stands already is against it."""


class Malformed(Refusal):
    """The request cannot be read: its JSON, its cursor, a parameter."""

    def __init__(self, sentence: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(sentence)
        self.errors = tuple(errors)


class Invalid(Refusal):
    """The request was read, and some of its fields cannot be taken."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(" ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = tuple(errors)


class Unauthenticated(Refusal):
    """Nobody is signed in, or the e-mail and the password do not belong together."""


class TooMany(Refusal):
    """Come again in `after` seconds."""

    def __init__(self, sentence: str, after: int) -> None:
        super().__init__(sentence)
        self.after = after


class UpstreamFailed(Refusal):
    """A server that we had to ask did not answer as it should."""


class SessionsAway(Refusal):
    """Valkey, which holds the sessions, is away; everything that needs none goes on."""

    def __init__(self) -> None:
        super().__init__(
            "Valkey, which holds the sessions, is away. Nobody can sign in until it is back."
        )


def require(actor: Actor, action: Action, *, own: bool = False) -> None:
    """Raises Forbidden where the actor may not do this to anything; `own`: to what is theirs."""
    if decide(actor.role, action, own=own) is not Decision.ALLOWED:
        raise Forbidden(f"Your role, {actor.role}, may not {action}.")
    if decide(actor.role, action, own=own, by_key=actor.by_key) is not Decision.ALLOWED:
        raise Forbidden(f"An API key may not {action}: sign in for that.")
