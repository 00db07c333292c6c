"""The rules that the surroundings of the code keep to: adapters, in production. Mutants break one.

A mutant is a protocol with one promise of DESIGN §2 taken away; the search must find each of them.
"""

from msgspec.structs import replace

from application.conversations import Loaded
from application.moves import Item, Outcome
from domain.turn import Status
from tests.explore.commits import Saved
from tests.explore.positions import PICK


class Rules:
    """As they are."""

    fenced = True
    """Only React acknowledges, in the transaction of the last state, fenced by the pick."""
    together = True
    """An update and its job are one commit."""

    forgetful = True
    """A task that holds neither its job nor the chat's token is forgotten (ghosts.py)."""
    at_once = True
    """A job that is not the owner is taken as it is dequeued (workers.py)."""

    def loaded(self, loaded: Loaded) -> Loaded:
        """What the store tells of a chat."""
        return loaded

    def item(self, item: Item, loaded: Loaded) -> Item:
        """What a task puts."""
        return item

    def saved(self, saved: Saved) -> Saved:
        """What is written."""
        return saved

    def lease(self, held: bool) -> bool:
        """What a look at the lease says."""
        return held


class Whole(Rules):
    """The same rules, and nothing left out to make the search shorter."""

    forgetful = False
    at_once = False


class Mutant(Rules):
    """Nothing is forgotten, for it might do harm here."""

    forgetful = False


class PickIgnored(Mutant):
    """A job that was picked again by another worker is still taken for ours."""

    def loaded(self, loaded: Loaded) -> Loaded:
        return replace(loaded, pick_held=True)


class TokenIgnored(Mutant):
    """The outcome of a stale effect is taken for one of the turn."""

    def item(self, item: Item, loaded: Loaded) -> Item:
        turn = loaded.conversation.turn
        if not isinstance(item, Outcome) or turn is None:
            return item
        return replace(item, event=replace(item.event, turn=turn.token))


class AcknowledgedWithoutFence(Mutant):
    """A handler that returns deletes its job, whoever holds it by now: pgqueuer's own way."""

    fenced = False


class RunForgotten(Mutant):
    """A retry starts another run."""

    def saved(self, saved: Saved) -> Saved:
        turn = saved.conversation.turn
        if turn is None or turn.status is not Status.FAILED:
            return saved
        forgotten = replace(turn, run_id=None)
        touched = tuple(forgotten if one == turn else one for one in saved.touched)
        return replace(
            saved, conversation=replace(saved.conversation, turn=forgotten), touched=touched
        )


class OwnerIgnored(Mutant):
    """A job takes the chat though its owner lives."""

    def loaded(self, loaded: Loaded) -> Loaded:
        return replace(loaded, owner_lives=False)


class LeaseIgnored(Mutant):
    """A call is made without a look at the lease."""

    def lease(self, held: bool) -> bool:
        return True


class LineUnread(Mutant):
    """The owner lets the chat go without a look at its line."""

    def loaded(self, loaded: Loaded) -> Loaded:
        ours = loaded.owner_job_id == PICK.job_id
        return replace(loaded, update=None, request=None) if ours else loaded


class PartForgotten(Mutant):
    """A retry sends the reply from its beginning."""

    def saved(self, saved: Saved) -> Saved:
        turn = saved.conversation.turn
        if turn is None or turn.status is not Status.FAILED:
            return saved
        return replace(saved, conversation=replace(saved.conversation, turn=replace(turn, sent=())))


class NeverAcknowledged(Mutant):
    """The last state is saved, and its job stays in the queue."""

    def saved(self, saved: Saved) -> Saved:
        return replace(saved, acknowledge=False)


class JobApart(Mutant):
    """A crash after an update's commit leaves it without its job."""

    together = False


class EpochKept(Mutant):
    """Taking a chat over does not end the tokens that went before."""

    def saved(self, saved: Saved) -> Saved:
        return replace(saved, passed=False)


MUTANTS: tuple[type[Mutant], ...] = (
    PickIgnored,
    TokenIgnored,
    AcknowledgedWithoutFence,
    RunForgotten,
    OwnerIgnored,
    LeaseIgnored,
    LineUnread,
    PartForgotten,
    NeverAcknowledged,
    JobApart,
    EpochKept,
)
