"""Windows computers, printers and file servers that announce themselves by WS-Discovery (port 3702).

Source: OASIS, Web Services Dynamic Discovery 1.1 (2009), and the draft of 2005 that Windows speaks: Hello, ProbeMatches; types: DPWS and WSD print.
"""

from __future__ import annotations

import re

from artefacts.network import xml_text
from artefacts.network.said import Said

_KINDS = (("PrintDeviceType", "printer"), ("ScanDeviceType", "printer"), ("Computer", "computer"), ("NetworkVideoTransmitter", "camera"))
_UUID = re.compile(r"(?:urn:)?uuid:([0-9A-Za-z-]{8,80})")
_PROBE = (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:wsd="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
    "<soap:Header><wsa:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</wsa:To>"
    "<wsa:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</wsa:Action><wsa:MessageID>urn:uuid:{}</wsa:MessageID></soap:Header>"
    "<soap:Body><wsd:Probe/></soap:Body></soap:Envelope>"
)


def probe(identity: str) -> bytes:
    """A Probe for everything; ``identity``: a UUID that no other message has."""
    return _PROBE.format(identity).encode()


def message(data: bytes) -> Said | None:
    """What a Hello or ProbeMatches says of its sender; of any other sound message only that somebody is there; None for what is none."""
    root = xml_text.parse(data)
    if root is None or xml_text.local(root) != "Envelope":
        return None
    body = next((element for element in root.iter() if xml_text.local(element) in ("Hello", "ProbeMatch", "ResolveMatch")), None)
    if body is None:
        return Said("WS-Discovery")
    types = sorted({word.rpartition(":")[2] for word in xml_text.first(body, "Types").split()})[:10]
    udn = _UUID.search(xml_text.first(body, "Address"))
    return Said(
        "WS-Discovery",
        kind=next((kind for word, kind in _KINDS if word in types), None),
        services=tuple(f"WSD {word[:60]}" for word in types) or ("WSD",),
        identifiers=(f"udn:{udn[1].lower()}",) if udn else (),
    )
