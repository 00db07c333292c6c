"""What a commit makes of the chat's messages; that they begin in order, and end as they should."""

from msgspec.structs import replace

from application.conversations import Entry
from application.moves import Item, Outcome
from domain.events import ReplyGenerated, ReplyStarted
from domain.turn import Status, Turn
from tests.explore.commits import Saved
from tests.explore.entries import kind
from tests.explore.known import Known
from tests.explore.world import COMPLETED, OPEN, TERMINAL, Message, Violation, World


def after(known: Known, world: World, saved: Saved, item: Item) -> tuple[Message, ...]:
    """The messages after the commit of an item."""
    messages = list(world.messages)
    for turn in saved.touched:
        place = known.place(turn.token.id)
        former = messages[place]
        if saved.begun is not None and saved.begun.token.id == turn.token.id:
            assert saved.taken is not None
            former = _begun(known, world, former, saved.begun, saved.taken)
        messages[place] = _became(known, world, _started(former, turn, item), turn)
    if sum(message.status == OPEN for message in messages) > 1:
        raise Violation("two messages of a chat are open at once")
    return tuple(messages)


def _begun(known: Known, world: World, former: Message, begun: Turn, taken: Entry) -> Message:
    if taken.kind == "UPDATE":
        first = min(one.entry for one in world.line if kind(one.entry) == "UPDATE")
        if taken.id != first:
            raise Violation(f"update {taken.id} begins before update {first}")
    # The apology for a message that broke after it had expired is sent: that is no answer.
    if not world.enabled and not begun.over and begun.verdict is None:
        raise Violation("a turn of a disabled bot begins")
    if taken.kind != "RETRY" and former != Message():
        raise Violation(f"message {begun.token.id} begins twice")
    # A person's retry keeps what its turn knows as sent; all else is said anew.
    kept = enumerate(begun.parts[: len(begun.noticed or begun.sent)])
    said = {known.saids.number((part.text, index)) for index, part in kept}
    return Message(OPEN, run=former.run, said=tuple(sorted(said.intersection(former.said))))


def _started(former: Message, turn: Turn, item: Item) -> Message:
    """A run has an id that is saved now."""
    event = item.event if isinstance(item, Outcome) else None
    if isinstance(event, ReplyStarted | ReplyGenerated) and event.turn.id == turn.token.id:
        return replace(former, run=True)
    return former


def _became(known: Known, world: World, former: Message, turn: Turn) -> Message:
    if not turn.over:
        return replace(former, status=OPEN)
    if turn.status is Status.COMPLETED:
        for index, part in enumerate(turn.parts):
            if known.saids.number((part.text, index)) not in former.said:
                raise Violation(f"part {index} of message {turn.token.id} was never sent")
        return Message(COMPLETED)
    if not turn.verdict:
        raise Violation(f"message {turn.token.id} is TERMINAL without a reason")
    if not (world.wishes and known.plan.wish("retry")):
        return Message(TERMINAL)  # nobody can ask for another try any more
    return replace(former, status=TERMINAL, turn=known.turns.number(turn))
