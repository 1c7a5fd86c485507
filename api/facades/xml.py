"""Plain values as XML, as Open311 has it: an element for each field, and for each entry of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from fastapi import Response

_ENTRIES = {
    "services": "service",
    "service_requests": "request",
    "errors": "error",
    "attributes": "attribute",
    "endpoints": "endpoint",
    "formats": "format",
}
"""What an entry of a list is called."""

_NOT_IN_XML = {place: None for place in range(32) if chr(place) not in "\t\n\r"} | {
    0xFFFE: None,
    0xFFFF: None,
}


def xml_response(name: str, value: Any, status: int = 200) -> Response:
    """An answer whose root element is called `name`."""
    root = ElementTree.Element(name)
    _fill(root, value)
    body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(body, status, media_type="text/xml; charset=utf-8")


def _fill(element: ElementTree.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, field in value.items():
            _fill(ElementTree.SubElement(element, name), field)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for entry in value:
            _fill(ElementTree.SubElement(element, _ENTRIES[element.tag]), entry)
    elif value is not None:
        written = str(value).lower() if isinstance(value, bool) else str(value)
        element.text = written.translate(_NOT_IN_XML)  # characters that XML cannot hold are left out
