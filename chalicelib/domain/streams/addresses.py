"""Network addresses that sources may have: public ones, and those that the configuration allows."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

# Not public, although `ipaddress` of Python 3.11 reports some of them as global.
NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "168.63.129.16/32",  # the metadata service inside one large cloud
        "192.0.0.0/24",  # protocol assignments, another cloud's metadata service among them
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # Teredo and other protocol assignments
        "2001:db8::/32",
        "2002::/16",  # 6to4: names an IPv4 address, and its relay reaches it
        "3fff::/20",
    )
)
GLOBAL_UNICAST = IPv6Network("2000::/3")
# With DNS64 the resolver maps IPv4 hosts into this network. The embedded IPv4 address counts.
NAT64 = IPv6Network("64:ff9b::/96")


def is_allowed_address(address: IpAddress, networks: tuple[IpNetwork, ...] = ()) -> bool:
    """Return whether an address is public or inside one of the configured networks."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    if any(address.version == network.version and address in network for network in networks):
        return True
    if isinstance(address, IPv6Address) and address in NAT64:
        return is_allowed_address(IPv4Address(int(address) & 0xFFFF_FFFF))
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address.version == network.version and address in network for network in NOT_PUBLIC)
