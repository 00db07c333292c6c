"""/ and /admin/: where a person who opens the address of a running system finds the way.

The web admin and the landing page take these places; this page tells what there is until then.
"""

from litestar import MediaType, Request, get
from litestar.datastructures import State

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Kotodom GPT</title>
<main>
<h1>Kotodom GPT is running</h1>
<ul>
{sandbox}<li><a href="/schema">The HTTP API</a>: every route, with examples. Sign in with
<code>POST /api/auth/login</code> and the e-mail and password that the first start printed.</li>
<li><a href="/health/ready">Is it well?</a></li>
</ul>
<p>The web admin is not part of this version yet; the HTTP API makes and runs bots.</p>
</main>
</html>
"""

_SANDBOX = '<li><a href="/sandbox/">The sandbox</a>: write to a bot, no keys needed.</li>\n'


@get(["/", "/admin"], media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=False)
def start_page(request: Request[None, None, State]) -> str:
    """The links that work on this system."""
    sandbox = _SANDBOX if request.app.state.sandbox_url is not None else ""
    return _PAGE.format(sandbox=sandbox)
