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


class PickIgnored(Rules):
    """A job that was picked again by another worker is still taken for ours."""

    def loaded(self, loaded: Loaded) -> Loaded:
        return replace(loaded, pick_held=True)


class TokenIgnored(Rules):
    """The outcome of a stale effect is taken for one of the turn."""

    def item(self, item: Item, loaded: Loaded) -> Item:
        turn = loaded.conversation.turn
        if not isinstance(item, Outcome) or turn is None:
            return item
        return replace(item, event=replace(item.event, turn=turn.token))


class AcknowledgedWithoutFence(Rules):
    """A handler that returns deletes its job, whoever holds it by now: pgqueuer's own way."""

    fenced = False


class RunForgotten(Rules):
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


class OwnerIgnored(Rules):
    """A job takes the chat though its owner lives."""

    def loaded(self, loaded: Loaded) -> Loaded:
        return replace(loaded, owner_lives=False)


class LeaseIgnored(Rules):
    """A call is made without a look at the lease."""

    def lease(self, held: bool) -> bool:
        return True


class LineUnread(Rules):
    """The owner lets the chat go without a look at its line."""

    def loaded(self, loaded: Loaded) -> Loaded:
        ours = loaded.owner_job_id == PICK.job_id
        return replace(loaded, update=None, request=None) if ours else loaded


class PartForgotten(Rules):
    """A retry sends the reply from its beginning."""

    def saved(self, saved: Saved) -> Saved:
        turn = saved.conversation.turn
        if turn is None or turn.status is not Status.FAILED:
            return saved
        return replace(saved, conversation=replace(saved.conversation, turn=replace(turn, sent=())))


class NeverAcknowledged(Rules):
    """The last state is saved, and its job stays in the queue."""

    def saved(self, saved: Saved) -> Saved:
        return replace(saved, acknowledge=False)


class JobApart(Rules):
    """A crash after an update's commit leaves it without its job."""

    together = False


class EpochKept(Rules):
    """Taking a chat over does not end the tokens that went before."""

    def saved(self, saved: Saved) -> Saved:
        return replace(saved, passed=False)


MUTANTS: tuple[type[Rules], ...] = (
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
