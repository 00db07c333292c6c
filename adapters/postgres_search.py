"""How lists that may be long are read: the newest first by index, and words with bounded work.

Of one user's bots the newest rows are asked for bot by bot, of those bots alone that may have one
on the page. Words that an index of trigrams finds few rows with are looked for there; all others,
and what has no trigram, along the newest rows, WINDOW of them at a time: a page then says where to
look on. Which words are frequent is known from what ANALYZE keeps (revision 0011).
"""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres_schema import bots, erasures
from adapters.postgres_transactions import execute, fetch

WINDOW = 1_000
"""Rows that a search looks through at a time: a hundredth of a second or two."""
LEAST_SHARE = 5
"""Of a window's rows, for each of an owner's bots."""
FEW = {"messages_trigrams": 1_000, "chats_trigrams": 2_500, "tg_users_trigrams": 2_500}
"""Rows that an index may find, to be looked at one by one: as long. Names are short."""

# Between two letters or digits stand the trigrams that a pattern needs for certain; what is not
# among the most frequent ones is rare.
_IS_RARE = """
WITH kept AS (
    SELECT most_common_elems::text::text[] AS elements, most_common_elem_freqs AS parts,
           (1 - null_frac) * reltuples AS rows
    FROM pg_stats_ext_exprs
    JOIN pg_class ON relname = tablename AND relnamespace = to_regnamespace(schemaname)
    WHERE statistics_name = $2 AND schemaname = current_schema()
)
SELECT COALESCE(bool_or(known.part IS NULL OR known.part * kept.rows <= $3), false)
FROM kept
CROSS JOIN unnest(show_trgm(search_letters($1))) trigram
LEFT JOIN (
    SELECT each.* FROM kept CROSS JOIN unnest(kept.elements, kept.parts) AS each (name, part)
) known ON known.name = trigram
WHERE strpos(trigram, ' ') = 0
"""


async def is_rare(connection: AsyncConnection, words: str, statistics: str) -> bool:
    """Whether the index of trigrams finds few rows with these words. Plans then go by index.

    False where nothing is known, as of a table that was never analyzed: it has grown from nothing.
    """
    ((rare,),) = await fetch(connection, _IS_RARE, words, statistics, FEW[statistics])
    if rare:
        await execute(connection, "SET LOCAL enable_seqscan = off")
    return bool(rare)


def like(column: ColumnElement[Any], words: str) -> ColumnElement[bool]:
    """Whether a text holds the words, whatever their case."""
    return column.ilike(_pattern(words))


def holds(column: ColumnElement[Any], words: str) -> ColumnElement[bool]:
    """The same, by way of an index of trigrams."""
    letters = func.search_letters(column).ilike(func.search_letters(_pattern(words)))
    return and_(letters, like(column, words))


def _pattern(words: str) -> str:
    r"""LIKE's escape character is `\`."""
    for special in ("\\", "%", "_"):
        words = words.replace(special, f"\\{special}")
    return f"%{words}%"


def seen(bot_id: ColumnElement[int], owner: str | None) -> ColumnElement[bool]:
    """Of a bot that is there, and of the owner's where there is one to narrow to."""
    if owner is None:
        gone = select(erasures.c.bot_id).where(erasures.c.chat_id.is_(None))
        return bot_id.not_in(gone)
    return bot_id.in_(select(bots.c.id).where(bots.c.owner_user_id == UUID(owner)))


def of_bot(
    column: ColumnElement[int], bot_id: int | None, owner: str | None
) -> list[ColumnElement[bool]]:
    """The same, of one bot where one is named: whether it is the owner's is looked up once."""
    if bot_id is None:
        return [seen(column, owner)]
    its = select(bots.c.id).where(bots.c.id == bot_id)
    if owner is not None:
        its = its.where(bots.c.owner_user_id == UUID(owner))
    return [column == bot_id, its.exists()]


class Newest:
    """A table's rows, newest first by (`at`, `id`), each of a bot; by index, with the bot or not.

    `least` is below every id.
    """

    def __init__(
        self,
        at: ColumnElement[Any],
        identity: ColumnElement[Any],
        bot_id: ColumnElement[int],
        least: int | str,
    ) -> None:
        self._at = at
        self._id = identity
        self._bot_id = bot_id
        self._least = least
        self.order = (at.desc(), identity.desc())

    def older(self, than: tuple[Any, Any] | None) -> ColumnElement[bool]:
        """What follows a key; all where there is none."""
        return true() if than is None else tuple_(self._at, self._id) < tuple_(*than)

    def first(
        self, keys: Select[Any], bot_id: int | None, owner: str | None, limit: int
    ) -> Select[Any]:
        """The ids of the first that `keys` selects (its columns: at, id), with both columns."""
        if owner is None or bot_id is not None:
            return self._of(keys, bot_id, owner).order_by(*self.order).limit(limit)
        heads = self._heads(keys, owner)
        foremost = select(heads).order_by(*_newest(heads)).limit(limit).cte("foremost")
        # So many bots' newest are the page already: nothing older than the last of them is on it.
        last = select(foremost).order_by(*_newest(foremost)).offset(limit - 1).limit(1).subquery()
        floor = (
            func.coalesce(select(last.c.at).scalar_subquery(), text("'-infinity'")),
            func.coalesce(select(last.c.id).scalar_subquery(), literal(self._least)),
        )
        each = keys.where(
            self._bot_id == foremost.c.bot, tuple_(self._at, self._id) >= tuple_(*floor)
        )
        theirs = each.order_by(*self.order).limit(limit).lateral("theirs")
        together = select(theirs).select_from(foremost.join(theirs, true()))
        return together.order_by(*_newest(theirs)).limit(limit)

    def window(
        self, keys: Select[Any], bot_id: int | None, owner: str | None
    ) -> tuple[CTE, ColumnElement[bool]]:
        """The first rows that `keys` selects, WINDOW at most, and whether there may be more."""
        if owner is None or bot_id is not None:
            first = self._of(keys, bot_id, owner).order_by(*self.order).limit(WINDOW)
            window = _made(first, "stretch")
            return window, _is_full(window)
        # A bot has a share of the window, the larger the newer its newest row is. Down to the
        # newest end of a share that was used up, no bot has a row that is not there.
        heads = self._heads(keys, owner)
        rank = func.row_number().over(order_by=_newest(heads))
        many = func.count().over()
        share = func.greatest(WINDOW / (rank * (1 + func.ln(many))), LEAST_SHARE)
        shares = select(heads.c.bot, cast(share, Integer).label("share")).cte("shares")
        place = func.row_number().over(order_by=self.order).label("place")
        each = keys.add_columns(place).where(self._bot_id == shares.c.bot)
        theirs = each.order_by(*self.order).limit(shares.c.share).lateral("theirs")
        met = _made(select(theirs, shares.c.share).select_from(shares.join(theirs, true())), "met")
        used_up = select(met.c.at, met.c.id).where(met.c.place == met.c.share)
        end = used_up.order_by(*_newest(met)).limit(1).subquery("end")
        floor = (
            func.coalesce(select(end.c.at).scalar_subquery(), text("'-infinity'")),
            func.coalesce(select(end.c.id).scalar_subquery(), literal(self._least)),
        )
        complete = select(met).where(tuple_(met.c.at, met.c.id) >= tuple_(*floor))
        window = _made(complete.order_by(*_newest(met)).limit(WINDOW), "stretch")
        return window, or_(_is_full(window), used_up.exists())

    def of_found(self, found: CTE, keys: Select[Any], limit: int) -> Select[Any]:
        """The ids of the first that `keys` selects of those found: few, so one by one."""
        each = keys.where(self._id == found.c.id).offset(0).lateral("each")
        together = select(each).select_from(found.join(each, true()))
        return select(together.order_by(*_newest(each)).limit(limit).subquery().c.id)

    def _of(self, keys: Select[Any], bot_id: int | None, owner: str | None) -> Select[Any]:
        return keys.where(*of_bot(self._bot_id, bot_id, owner))

    def _heads(self, keys: Select[Any], owner: str) -> CTE:
        """The newest of each of the owner's bots."""
        each = keys.where(self._bot_id == bots.c.id).order_by(*self.order).limit(1)
        head = each.lateral("head")
        heads = select(bots.c.id.label("bot"), head.c.at, head.c.id)
        mine = heads.select_from(bots.join(head, true())).where(bots.c.owner_user_id == UUID(owner))
        return mine.cte("heads")


def found_in(window: CTE, more: ColumnElement[bool], found: Select[Any], limit: int) -> Select[Any]:
    """One row: the ids of a window that `found` finds, and the key to look on after, if any."""
    ids = found.with_only_columns(window.c.id).order_by(*_newest(window)).limit(limit)
    last = select(window.c.at, window.c.id).order_by(window.c.at, window.c.id).limit(1).subquery()
    return select(func.array(ids.scalar_subquery()), last.c.at, last.c.id, more).select_from(
        select(literal(1)).subquery().outerjoin(last, true())
    )


async def looked(
    connection: AsyncConnection, search: Select[Any]
) -> tuple[list[Any], tuple[Any, Any] | None]:
    """What a search of `found_in` found, and the key to look on after."""
    ids, at, identity, more = (await connection.execute(search)).one()
    return ids, (at, identity) if more else None


def _made(rows: Select[Any], name: str) -> CTE:
    """Looked up once, whatever the planner thinks."""
    return rows.cte(name).prefix_with("MATERIALIZED")


def _newest(of: FromClause) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return of.c.at.desc(), of.c.id.desc()


def _is_full(window: CTE) -> ColumnElement[bool]:
    return select(func.count() >= WINDOW).select_from(window).scalar_subquery()
