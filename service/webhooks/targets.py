"""Which addresses may be delivered to: the guard against being sent into one's own network.

A name is looked up once, every address it has is judged, and only a judged address is
connected to (`posting`), so what the name says a moment later makes no difference.
Public addresses are open; networks of one's own (RFC 1918, loopback, unique local, shared
address space of RFC 6598) only where the settings name them; link-local addresses, the
metadata services of clouds, multicast and what is reserved never. An IPv4 address
inside an IPv6 one is judged as what it is. Ranges: IANA's special-purpose registries.
"""

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from ingest.errors import InputError, StackwattError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Name and port to the texts of addresses; OSError where there are none."""

MOST_ADDRESSES = 16


class TargetError(StackwattError):
    """An endpoint that cannot be, or must not be, connected to."""


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


_OWN = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10") + _networks(
    "::1/128", "fc00::/7"
)
"""May be allowed."""
_NEVER = (
    # Metadata services inside ranges that may be allowed: Alibaba Cloud, Oracle Cloud, AWS over IPv6.
    *_networks("100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::/32"),
    *_networks("0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"),
    *_networks("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    # Of 2000::/3, which alone is public: protocol assignments with Teredo, documentation, 6to4.
    *_networks("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
)
_PUBLIC_6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks of one's own that may be delivered to, as they are written in the settings.

    Raises:
        InputError: one is no network.
    """
    try:
        return tuple(ip_network(text.strip()) for text in texts)
    except ValueError as error:
        raise InputError(f"private network: {error}; expected such as 10.1.0.0/16 or 127.0.0.1/32") from None


def may_reach(text: str, allowed: Sequence[Network]) -> bool:
    """Whether an address may be delivered to; `allowed` are networks of one's own."""
    try:
        address = _plain(ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    if any(address in network for network in _NEVER):
        return False
    if any(address in network for network in _OWN):
        return any(address in network for network in allowed)
    return address.version == 4 or address in _PUBLIC_6


def _plain(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that is mapped or translated, else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


async def addresses_of(url: str, allowed: Sequence[Network], resolve: Resolve) -> list[str]:
    """The addresses of a URL's host, all of which may be delivered to.

    Raises:
        TargetError: there is none, or one of them must not be connected to.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = list(dict.fromkeys(await resolve(host, port)))[:MOST_ADDRESSES]
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise TargetError(f"Host {host} has no address.")
    for text in found:
        if not may_reach(text, allowed):
            raise TargetError(
                f"Host {host} has address {text}, which is not public and no network of the settings:"
                " nothing is sent there."
            )
    return found
