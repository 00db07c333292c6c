"""Why a turn failed or ended, in one of a few words: what a metric may have as a label.

Reasons are sentences for people, whose beginnings are those of domain/endings.py and of the
adapters' failures; the first that fits decides.
"""

from domain.turn import Status, Turn

NONE = "none"
OTHER = "other"

_CLASSES = {
    "gave up": "gave_up",
    "a bug: ": "bug",
    "its worker was killed": "worker_killed",
    "its job was deleted": "job_deleted",
    "its update could not be understood": "unreadable",
    "its turn cannot be read": "unreadable",
    "bot disabled": "bot_disabled",
    "the bot was deleted": "bot_deleted",
    "Telegram": "telegram",
    "the bot's token": "telegram",
    "The bot's token": "telegram",
    "The address of the bot's Telegram server": "telegram",
    "more is to be sent than Telegram's limits": "telegram",
    "the group migrated": "telegram",
    "no OpenAI key": "model_settings",
    "the bot's own model server needs a key": "model_settings",
    "the model's": "model_settings",
    "the model server is down": "model_down",
    "the model refused": "model_refused",
    "OpenAI: the content filter": "model_refused",
    "the model": "model",
    "OpenAI": "model",
}


def reason_class(turn: Turn) -> str:
    """The word for why the turn is FAILED or TERMINAL; "none" where it is neither."""
    match turn.status:
        case Status.FAILED:
            reason = turn.last_error
        case Status.TERMINAL:
            reason = turn.verdict
        case _:
            return NONE
    for beginning, word in _CLASSES.items():
        if reason is not None and reason.startswith(beginning):
            return word
    return "bug" if turn.breaks else OTHER
