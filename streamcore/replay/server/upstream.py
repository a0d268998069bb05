"""How the recording proxy reaches its upstream: through which other proxy, and with which login.

aiohttp's `trust_env` and its handling of logins in URLs do not do for a proxy: with them a request fails if the client
sends `authorization` itself, and `trust_env` also takes a login from `.netrc`, which neither the client nor the user of
the proxy has asked for.
"""

from __future__ import annotations

import base64
from urllib.request import getproxies, proxy_bypass

from streamcore._extras import requires_extra
from streamcore.api.request import check_base_url, without_userinfo
from streamcore.errors import InvalidArgumentError

with requires_extra("serve"):
    from yarl import URL


def environment_proxy(upstream: URL) -> str | None:
    """Return the proxy that the environment has for the upstream (`HTTPS_PROXY`, `NO_PROXY` and so on).

    Raises:
        InvalidArgumentError: It is not an http or https URL.
    """
    found = getproxies().get(upstream.scheme)
    if not found or proxy_bypass(upstream.host or ""):
        return None
    try:
        return check_base_url(found if "://" in found else f"http://{found}")
    except InvalidArgumentError:
        said = f"the proxy in the environment must be an http or https URL, not {without_userinfo(found)!r}"
        raise InvalidArgumentError(said) from None


def login_of(upstream: URL) -> str | None:
    """Return the `authorization` that stands for the user and password of a URL, or None if it has neither."""
    if upstream.user is None and upstream.password is None:
        return None
    credentials = f"{upstream.user or ''}:{upstream.password or ''}"
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"
