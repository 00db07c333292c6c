"""What the bench tells its stand-ins, and what they tell of what they have seen."""

from msgspec import Struct


class Behaviour(Struct):
    """How the model answers: it thinks so many seconds and streams so many words meanwhile.

    `gate`: no answer begins to count its seconds before so many have been asked for.
    """

    think: float = 0.0
    words: int = 3
    gate: int = 0


class Sent(Struct, array_like=True):
    """A sendMessage: to whom, the text up to its first colon, and when it was received."""

    chat_id: int
    number: str
    at: float


class Asked(Struct, array_like=True):
    """A call of the model: about which message, received when, answered in full when."""

    number: str
    at: float
    answered_at: float


class Report(Struct):
    """What has been seen since the behaviour was set."""

    sent: list[Sent] = []
    asked: list[Asked] = []
    calls: dict[str, int] = {}
    in_flight: int = 0
    most_in_flight: int = 0

    def count(self, call: str) -> None:
        self.calls[call] = self.calls.get(call, 0) + 1


class Hook(Struct):
    """Bot API, setWebhook: where a bot's updates go."""

    url: str
    secret_token: str
