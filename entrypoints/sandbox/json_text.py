"""JSON as the stand-ins read and write it: msgspec, and json where a text has a lone surrogate.

A person can type what UTF-8 cannot hold, half of a surrogate pair. Telegram sends such a text on as
an escape sequence, so the stand-in has to be able to.
"""

import json

import msgspec

_encoder = msgspec.json.Encoder()


def encode_json(value: object) -> bytes:
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value)).encode()


def decode_json(body: bytes | str) -> object:
    """Raises ValueError where it is not JSON."""
    try:
        value: object = msgspec.json.decode(body)
    except msgspec.DecodeError:
        value = json.loads(body)
    return value
