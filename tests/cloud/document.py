"""TwiML text in, a checked tree out. Stricter than Twilio where Twilio only warns: a warning is our mistake as well."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

from tests.cloud import values, voices
from tests.cloud.errors import Rejected
from tests.cloud.grammar import FINAL, GRAMMAR, Element

MAX_BYTES = 64 * 1024
MAX_SAY = 4096
MAX_NOUNS = 10


@dataclass(frozen=True, slots=True)
class Node:
    """One element, already known to be right."""

    name: str
    attributes: Mapping[str, str]
    text: str
    nested: tuple["Node", ...]

    def integer(self, name: str, default: int) -> int:
        """An attribute that is a whole number."""
        return int(self.attributes.get(name, default))

    def flag(self, name: str, default: bool) -> bool:
        """An attribute that is true or false."""
        return self.attributes.get(name, "true" if default else "false") == "true"


def read_response(content_type: str, body: bytes) -> tuple[Node, ...]:
    """The verbs of an HTTP answer. Raises Rejected."""
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if len(body) > MAX_BYTES:
        raise Rejected(11750, f"{len(body)} bytes")
    if not body:
        raise Rejected(11770, "nothing in it")
    if kind not in ("text/xml", "application/xml"):
        raise Rejected(12300, f"{content_type!r}")
    return read(body)


def read(body: bytes) -> tuple[Node, ...]:
    """The verbs of a document. Raises Rejected."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Rejected(12100, "document type declarations are not TwiML")
    try:
        root = ET.fromstring(body)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Rejected(12100, str(error)) from error
    if root.tag != "Response":
        raise Rejected(12102, f"<{root.tag}>")
    verbs = _check(root).nested
    for verb in verbs[:-1]:
        if verb.name in FINAL:
            raise Rejected(12200, f"what follows <{verb.name}> can never be reached")
    return verbs


def _check(element: ET.Element) -> Node:
    rule = GRAMMAR[element.tag]
    for name, value in element.attrib.items():
        if name not in rule.rules:
            raise Rejected(12200, f"Attribute {name!r} is not allowed to appear in element {element.tag!r}")
        accepts, code = rule.rules[name]
        if not accepts(value):
            raise Rejected(code, f"{element.tag} {name}={value!r}")
    for child in element:
        if child.tag not in rule.nested:
            raise Rejected(rule.nested_code, f"<{child.tag}> in <{element.tag}>")
    node = Node(element.tag, dict(element.attrib), (element.text or "").strip(), tuple(_check(c) for c in element))
    _check_text(node, rule, any((child.tail or "").strip() for child in element))
    return node


def _check_text(node: Node, rule: Element, stray: bool) -> None:
    if stray or (rule.text == "none" and node.text):
        raise Rejected(12200, f"text in <{node.name}>")
    match node.name:
        case "Say":
            _check_say(node)
        case "Play" if bool(node.text) == ("digits" in node.attributes):
            raise Rejected(12200, "<Play> has either a URL or digits")
        case "Play" | "Redirect" if node.text and not values.url(node.text):
            raise Rejected(11100, f"<{node.name}> {node.text!r}")
        case "Redirect" if not node.text:
            raise Rejected(11100, "<Redirect> without a URL")
        case "Dial":
            _check_dial(node)
        case "Number" if not values.E164.fullmatch(node.text):
            raise Rejected(13223, repr(node.text))
        case "Sip" if not values.SIP_URI.fullmatch(node.text):
            raise Rejected(13243, repr(node.text))
        case "Client" if not values.CLIENT.fullmatch(node.text):
            raise Rejected(12200, f"<Client> {node.text!r}")
        case _:
            pass


def _check_say(node: Node) -> None:
    if not node.text:
        raise Rejected(13520, "no text")
    if len(node.text) > MAX_SAY:
        raise Rejected(13521, f"{len(node.text)} characters")
    wrong = voices.fault(node.attributes.get("language"), node.attributes.get("voice"))
    if wrong is not None:
        raise Rejected(*wrong)


def _check_dial(node: Node) -> None:
    if bool(node.text) == bool(node.nested):
        raise Rejected(13215, "<Dial> has either a number or nouns")
    if node.text and not values.E164.fullmatch(node.text):
        raise Rejected(13223, repr(node.text))
    if len(node.nested) > MAX_NOUNS:
        raise Rejected(13215, f"{len(node.nested)} nouns")
