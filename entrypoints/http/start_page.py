"""/: where a person who opens the address of a running system finds the way.

Only where the pages were not built: else the Landing Web answers / and the Admin Web /admin.
"""

from litestar import MediaType, Request, get
from litestar.datastructures import State

from entrypoints.http.admin_pages import DIST

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Kotodom GPT</title>
<main>
<h1>Kotodom GPT is running</h1>
<ul>
<li><a href="/admin/">The admin</a>{unbuilt}</li>
{sandbox}<li><a href="/schema">The HTTP API</a>: every route, with examples. Sign in with
<code>POST /api/auth/login</code> and the e-mail and password that the first start printed.</li>
<li><a href="/health/ready">Is it well?</a></li>
</ul>
</main>
</html>
"""

_SANDBOX = '<li><a href="/sandbox/">The sandbox</a>: write to a bot, no keys needed.</li>\n'
_UNBUILT = ": it is not built yet. Run <code>make web</code>, and start again."


@get(["/", "/admin"], media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=False)
def start_page(request: Request[None, None, State]) -> str:
    """The links that work on this system."""
    sandbox = _SANDBOX if request.app.state.sandbox_url is not None else ""
    unbuilt = "" if DIST.is_dir() else _UNBUILT
    return _PAGE.format(sandbox=sandbox, unbuilt=unbuilt)
