"""/api/chats.csv and /api/processing.csv: the lists as files, with the lists' own filters."""

from collections.abc import AsyncIterator

from dishka import FromDishka
from litestar import get
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.response import Stream

from application.chats import ChatFilter, ChatView
from application.exports import Exports
from application.processing import ProcessingView
from entrypoints.http.chats import ActiveSince
from entrypoints.http.examples import csv_of
from entrypoints.http.paging import BotId, Words, moment, words
from entrypoints.http.problems import problems
from entrypoints.http.processing import Fingerprint, Since, StatusFilter, Until, filter_of
from entrypoints.http.security import Asked

CSV = "text/csv"


def _file_of(view: type[ChatView | ProcessingView]) -> ResponseSpec:
    return ResponseSpec(
        str,
        generate_examples=False,
        media_type=CSV,
        description="UTF-8 with a byte order mark; the first row names the columns.",
        examples=[Example(value=csv_of(view))],
    )


@get(
    "/chats.csv",
    tags=["chats"],
    media_type=CSV,
    responses={200: _file_of(ChatView), **problems(400, 401)},
)
async def export_chats(
    request: Asked,
    exports: FromDishka[Exports],
    bot_id: BotId = None,
    q: Words = None,
    active_since: ActiveSince = None,
) -> Stream:
    """Chats as a file, ordered by their ids."""
    asked = ChatFilter(bot_id, words(q), moment(active_since, "activeSince"))
    return await _file("chats.csv", exports.chats(request.user.actor, asked))


@get(
    "/processing.csv",
    tags=["processing"],
    media_type=CSV,
    responses={200: _file_of(ProcessingView), **problems(400, 401)},
)
async def export_processing(
    request: Asked,
    exports: FromDishka[Exports],
    status: StatusFilter = None,
    bot_id: BotId = None,
    q: Words = None,
    since: Since = None,
    until: Until = None,
    fingerprint: Fingerprint = None,
) -> Stream:
    """Messages and what became of them as a file, newest first."""
    asked = filter_of(status, bot_id, q, since, until, fingerprint)
    return await _file("processing.csv", exports.processing(request.user.actor, asked))


async def _file(name: str, chunks: AsyncIterator[bytes]) -> Stream:
    """A download. The first rows are read here: where they cannot be, it is a problem as ever."""
    first = await anext(chunks)

    async def rows() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Stream(rows(), media_type=f"{CSV}; charset=utf-8", headers=headers)
