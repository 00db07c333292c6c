"""Numbers and moments of the URL, in the forms that the document tells of and in no others.

Python reads 0_1, +1 and １ as one, msgspec takes 1.0 for a whole number and 5 for a moment: a thing
would have many addresses, and a mistake of the asker's would pass. A guard, after `signed_in`.
"""

import re
from datetime import datetime
from typing import Any, get_args

from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter

from application.refusals import FieldError, Malformed

_FORMS = {
    int: (re.compile(r"-?[0-9]+", re.ASCII), "must be a whole number"),
    datetime: (re.compile(r"[0-9]{4}-[0-9]{2}-.+"), "must be a moment, as 2026-11-27T12:00:00Z"),
}


def exact(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Raises NotFoundException for an id in another form, Malformed for a parameter in one."""
    parts = connection.scope["path"].split("/")
    for value in connection.path_params.values():
        if isinstance(value, int) and str(value) not in parts:
            raise NotFoundException
    errors: list[FieldError] = []
    for field, definition in handler.parsed_fn_signature.parameters.items():
        parameter = definition.kwarg_definition
        if not isinstance(parameter, QueryParameter):
            continue
        name = parameter.name or field
        given = connection.query_params.getall(name, [])
        for kind in get_args(definition.annotation) or (definition.annotation,):
            form, needed = _FORMS.get(kind, (None, ""))
            if form is not None and not all(form.fullmatch(value) for value in given):
                errors.append(FieldError(name, needed))
    if errors:
        raise Malformed("Some of the request's parameters cannot be taken.", errors)
