"""What the bench's model says, as bytes: Responses whole and streamed.

Called by tests/bench/stand_ins.py. The object is as long as OpenAI's, for a client pays for its
length; only the ids, the model's words and the status differ from one answer to the next.
"""

import msgspec

_RESPONSE = {
    "id": "<id>",
    "object": "response",
    "created_at": 1800000000,
    "status": "<status>",
    "background": True,
    "completed_at": None,
    "conversation": {"id": "<conversation>"},
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "model": "gpt-5.4-mini",
    "output": ["<output>"],
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "usage": {
        "input_tokens": 40,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 60,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 100,
    },
    "user": None,
    "metadata": {},
}
_ITEM = {
    "id": "msg_<id>",
    "type": "message",
    "status": "completed",
    "role": "assistant",
    "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "<text>"}],
}
_LAST_WORDS = (
    " The short answer is that it depends on how much of it you keep, and for how long."
    " If you tell me a little more about what you want to reach, I can be more precise."
)


def _template(value: object, *places: str) -> bytes:
    """A bytes % template of the value's JSON, with %b at each of these places, in order."""
    text = msgspec.json.encode(value).replace(b"%", b"%%")
    for place in places:
        text = text.replace(place.encode(), b"%b")
    return text


_OBJECT = _template(_RESPONSE, "<id>", "<status>", "<conversation>", '"<output>"')
_OUTPUT = _template(_ITEM, "<id>", "<text>")
_DELTA = (
    b"event: response.output_text.delta\n"
    b'data: {"type":"response.output_text.delta","sequence_number":%d,"item_id":"msg_%b",'
    b'"output_index":0,"content_index":0,"delta":" word","logprobs":[],"obfuscation":"a1b2c3d4"}'
    b"\n\n"
)
_STATE = b'event: %b\ndata: {"type":"%b","sequence_number":%d,"response":%b}\n\n'
CREATED, IN_PROGRESS, COMPLETED = (
    b"response.created",
    b"response.in_progress",
    b"response.completed",
)


class Answer(msgspec.Struct):
    """A run of the model's, about the words of the message that it was asked."""

    id: bytes
    conversation: bytes
    asked: str

    def response(self, status: bytes) -> bytes:
        """The Response object; its output is there once the status is completed."""
        output = b""
        if status == b"completed":
            # The asked words come first and are parted by a colon: a reply tells its message.
            text = msgspec.json.encode(f"{self.asked}: you asked.{_LAST_WORDS}")[1:-1]
            output = _OUTPUT % (self.id, text)
        return _OBJECT % (self.id, status, self.conversation, output)

    def state(self, event: bytes, number: int) -> bytes:
        """One of the stream's events that carry the whole object."""
        status = b"completed" if event == COMPLETED else b"in_progress"
        return _STATE % (event, event, number, self.response(status))

    def delta(self, number: int) -> bytes:
        """A word of the stream; what counts is the text in the completed Response."""
        return _DELTA % (number, self.id)
