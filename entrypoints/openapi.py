"""`make openapi`: writes the OpenAPI document for the web client. No server is started.

tests/entrypoints/http/test_http_document.py fails while the file is not what the routes say.
"""

import json
from pathlib import Path

from entrypoints.http.app import api_document

DOCUMENT = Path(__file__).parent / "web" / "openapi.json"


def written() -> str:
    """The document as the file holds it."""
    return json.dumps(api_document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(written())
