"""Which optional parameters a model server refuses, so that each is refused only once.

Triggered by both model adapters when a request is made and when it is answered with 400 or 422.
The memory is the process's own: after a restart the first request is refused once more.
"""

import re
from collections.abc import Set

from openai import APIStatusError

from adapters.openai_failures import Complaint, complaint
from application.model import ModelAccess


class Refusals:
    """Refused parameters by (base_url, key, model): a server may refuse them for each of these.

    OpenAI, for one, streams some models only for verified organizations, and runs none in the
    background for organizations with zero data retention.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str | None, str, str], frozenset[str]] = {}

    def of(self, access: ModelAccess) -> frozenset[str]:
        """The parameters to leave out."""
        return self._known.get((access.base_url, access.api_key, access.model), frozenset())

    def learn(self, access: ModelAccess, error: APIStatusError, sent: Set[str]) -> bool:
        """Whether the error refuses one of the parameters sent; it is left out from now on."""
        if error.status_code not in (400, 422):
            return False
        told = complaint(error)
        named = {parameter for parameter in sent if _names(told, parameter)}
        if not named:
            return False
        key = (access.base_url, access.api_key, access.model)
        self._known[key] = self._known.get(key, frozenset()) | named
        return True


def _names(told: Complaint, parameter: str) -> bool:
    if told.param:
        return told.param.split(".")[0] == parameter
    return re.search(rf"\b{parameter}\b", told.message) is not None
