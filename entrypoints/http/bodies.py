"""Request bodies: JSON, decoded strictly by msgspec into a route's own struct.

415 for another content type, 400 for what is not JSON, 422 for JSON of another shape, with the
path of the field. Litestar's own way is lenient ("1" passes for 1) and answers 400 for everything.
"""

import re
from collections.abc import Generator
from typing import Any, Generic, TypeVar

import msgspec
from litestar._openapi.schema_generation import SchemaCreator
from litestar.dto import AbstractDTO, DTOFieldDefinition
from litestar.exceptions import HTTPException
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from application.refusals import FieldError, Invalid, Malformed
from entrypoints.http.wrong_values import kind_at, sentence

T = TypeVar("T")

_PATH = re.compile(r"^(.*) - at `(?:key in )?\$\.?(.*)`$", re.DOTALL)
_NAMED = re.compile(r"field `([^`]+)`")


class StrictJson(AbstractDTO[T], Generic[T]):
    """`dto=StrictJson[Form], return_dto=None` on a route with `data: JSONBody[Form]`."""

    def decode_bytes(self, value: bytes) -> Any:  # noqa: ANN401 - the route's struct
        """The struct. Raises HTTPException(415), Malformed, Invalid."""
        content_type = self.asgi_connection.headers.get("content-type", "application/json")
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise HTTPException(status_code=415, detail="Send application/json.")
        try:
            form = msgspec.json.decode(value, type=self.model_type)
        except msgspec.ValidationError as error:
            raise Invalid([_field_error(str(error), self.model_type)]) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed(f"The body is not JSON: {error}.") from None
        except RecursionError:
            raise Malformed("The body is nested too deeply.") from None
        if b"\\u0000" in value:
            _refuse_null(msgspec.to_builtins(form, str_keys=True))
        return form

    @classmethod
    def is_supported_model_type_field(cls, field_definition: FieldDefinition) -> bool:
        """Each route names its own struct."""
        return True

    @classmethod
    def create_for_field_definition(cls, *_: object, **__: object) -> None:
        """Nothing is generated: msgspec knows the struct."""

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: SchemaCreator
    ) -> Reference | Schema:
        """The struct's own schema."""
        return schema_creator.for_field_definition(field_definition)

    @classmethod
    def generate_field_definitions(
        cls, model_type: type[Any]
    ) -> Generator[DTOFieldDefinition, None, None]:
        """None: nothing is generated."""
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        """Nothing is generated."""
        return False


def _field_error(told: str, model: Any) -> FieldError:  # noqa: ANN401 - the route's struct
    """msgspec's sentence as the field's path and what is wrong with it."""
    at = _PATH.match(told)
    message, path = (at[1], at[2]) if at is not None else (told, "")
    words = sentence(message, kind_at(model, path))
    named = _NAMED.search(message)
    if named is not None:
        path = f"{path}.{named[1]}" if path else named[1]
    return FieldError(path or "$", words)


def _refuse_null(value: object, path: str = "") -> None:
    """PostgreSQL's text has no U+0000, and no form has a use for one."""
    match value:
        case str() if "\x00" in value:
            raise Invalid([FieldError(path, "must not hold the character U+0000")])
        case dict():
            for name, part in value.items():
                _refuse_null(part, f"{path}.{name}" if path else name)
        case list():
            for part in value:
                _refuse_null(part, path)
