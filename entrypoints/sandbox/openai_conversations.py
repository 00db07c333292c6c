"""/conversations of the OpenAI stand-in: create, get, update, delete, and their items."""

from aiohttp import web

from entrypoints.sandbox.openai_requests import Json, read_metadata, read_object, read_turns
from entrypoints.sandbox.openai_responses import early_fault
from entrypoints.sandbox.openai_shapes import OpenAiError, json_response
from entrypoints.sandbox.openai_world import Conversation, OpenAiWorld

MOST_ITEMS_AT_ONCE = 20


class Conversations:
    """The handlers of /v1/conversations."""

    def __init__(self, world: OpenAiWorld) -> None:
        self._world = world

    async def create(self, request: web.Request) -> web.StreamResponse:
        body = read_object(await request.read())
        early = await early_fault(request, self._world.faults.take("openai", "conversations"))
        if early is not None:
            return early
        conversation = self._world.create_conversation(read_metadata(body.get("metadata")))
        self._add(conversation, body)
        return json_response(conversation.as_object())

    async def get(self, request: web.Request) -> web.StreamResponse:
        return json_response(self._of(request).as_object())

    async def update(self, request: web.Request) -> web.StreamResponse:
        conversation = self._of(request)
        body = read_object(await request.read())
        conversation.metadata = read_metadata(body.get("metadata"))
        return json_response(conversation.as_object())

    async def delete(self, request: web.Request) -> web.StreamResponse:
        conversation = self._of(request)
        del self._world.kept.conversations[conversation.id]
        deleted = {"id": conversation.id, "object": "conversation.deleted", "deleted": True}
        return json_response(deleted)

    async def add_items(self, request: web.Request) -> web.StreamResponse:
        conversation = self._of(request)
        added = self._add(conversation, read_object(await request.read()))
        return json_response(_listed(added, has_more=False))

    async def items(self, request: web.Request) -> web.StreamResponse:
        items = list(self._of(request).items)
        if request.query.get("order", "desc") != "asc":
            items.reverse()
        after = request.query.get("after")
        if after is not None:
            places = [index for index, item in enumerate(items) if item["id"] == after]
            if not places:
                raise OpenAiError(404, f"Item with id '{after}' not found.", param="after")
            items = items[places[0] + 1 :]
        given = request.query.get("limit", "20")
        if not given.isdecimal() or not 1 <= int(given) <= 100:
            raise OpenAiError(400, "Invalid 'limit': expected 1 to 100.", param="limit")
        limit = int(given)
        return json_response(_listed(items[:limit], has_more=len(items) > limit))

    async def item(self, request: web.Request) -> web.StreamResponse:
        return json_response(self._item(request))

    async def delete_item(self, request: web.Request) -> web.StreamResponse:
        conversation = self._of(request)
        conversation.items.remove(self._item(request))
        return json_response(conversation.as_object())

    def _of(self, request: web.Request) -> Conversation:
        return self._world.conversation(request.match_info["conversation"])

    def _item(self, request: web.Request) -> Json:
        wanted = request.match_info["item"]
        for item in self._of(request).items:
            if item["id"] == wanted:
                return item
        raise OpenAiError(404, f"Item with id '{wanted}' not found.")

    def _add(self, conversation: Conversation, body: Json) -> list[Json]:
        items = body.get("items") or []
        if len(items) > MOST_ITEMS_AT_ONCE:
            raise OpenAiError(
                400,
                f"Invalid 'items': array too long. Expected an array with maximum length "
                f"{MOST_ITEMS_AT_ONCE}, but got an array with length {len(items)} instead.",
                code="array_above_max_length",
                param="items",
            )
        return self._world.remember(conversation, read_turns(items, "items"))


def _listed(items: list[Json], *, has_more: bool) -> Json:
    return {
        "object": "list",
        "data": items,
        "first_id": items[0]["id"] if items else "",
        "last_id": items[-1]["id"] if items else "",
        "has_more": has_more,
    }
