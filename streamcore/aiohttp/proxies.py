"""The proxy that the environment names for a URL, and the hosts that are exempt.

aiohttp can look this up too, but it supports only exempt hosts and domains, and ignores a proxy for all schemes.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from streamcore.errors import InvalidArgumentError

__all__ = ["proxy_for"]


def proxy_for(url: str) -> str | None:
    """Return the URL of the proxy, or None.

    Raises:
        InvalidArgumentError: aiohttp does not support this kind of proxy.
    """
    parts = urlsplit(url)
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found or _is_exempt(parts.netloc.rpartition("@")[2], parts.hostname or "", proxies.get("no", "")):
        return None
    scheme, separator, _ = found.partition("://")
    if not separator:
        return f"http://{found}"
    if scheme not in ("http", "https"):
        raise InvalidArgumentError(
            f"the environment names a proxy of the kind {scheme!r}, and aiohttp supports only HTTP proxies;"
            " others need an http_client"
        )
    return found


def _is_exempt(address: str, host: str, no_proxy: str) -> bool:
    """Return whether a host is exempt from the proxy.

    Python supports hosts with or without a port, domains, and the system's settings. The rest is what httpx2 supports
    in addition.

    Args:
        address: The host, with the port if the URL has one.
        host: The host without the port.
        no_proxy: The list in the environment.
    """
    return proxy_bypass(address) or any(_covers(entry.strip().lower(), host) for entry in no_proxy.split(","))


def _covers(entry: str, host: str) -> bool:
    if entry == "*" or (entry.startswith("*.") and host.endswith(entry[1:])):
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:  # one of the two is a name
        return False
