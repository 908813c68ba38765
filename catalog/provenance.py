"""Mark a picture file as made by a trained model, and read the mark back.

The mark is the IPTC property `Iptc4xmpExt:DigitalSourceType` in an XMP packet, which is what shops and search
engines look for. The packet is spliced into the file as it is: the compressed pixels are copied, never encoded again,
so the same picture and the same packet always give the same bytes. Layouts: XMP specification part 3 (JPEG APP1, PNG
iTXt, WebP `XMP ` chunk).
"""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from PIL import Image, UnidentifiedImageError

from catalog.errors import ExportRefused
from catalog.phrases import say

SOURCE_TYPE_ROOT = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED = SOURCE_TYPE_ROOT + "trainedAlgorithmicMedia"
COMPOSITE = SOURCE_TYPE_ROOT + "compositeWithTrainedAlgorithmicMedia"

_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_XMP = b"XML:com.adobe.xmp"
_JPEG_SEGMENT_MAX_BYTES = 65533
_WEBP_ICC, _WEBP_ALPHA, _WEBP_XMP = 0x20, 0x10, 0x04


class ProvenanceError(ExportRefused):
    """A file whose format cannot carry the mark, or whose structure is broken."""


def packet(source_type: str = TRAINED, *, creator_tool: str = "adapt") -> bytes:
    """Return the XMP packet (UTF-8) that states where a picture comes from.

    Args:
        source_type: An IPTC digital source type, as a full address.
        creator_tool: Name of the program, written to `xmp:CreatorTool`.
    """
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="' + _RDF + '">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="' + _IPTC_EXT + '">'
        f"<xmp:CreatorTool>{escape(creator_tool)}</xmp:CreatorTool>"
        f"<Iptc4xmpExt:DigitalSourceType>{escape(source_type)}</Iptc4xmpExt:DigitalSourceType>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    ).encode()


def mark(data: bytes, source_type: str = TRAINED) -> bytes:
    """Return the file with the mark in it; a packet that was there before is replaced.

    Args:
        data: A whole JPEG, PNG or WebP file.
        source_type: An IPTC digital source type, as a full address.

    Raises:
        ProvenanceError: The format is another one or the file is cut short.
    """
    xmp = packet(source_type)
    try:
        if data.startswith(b"\xff\xd8"):
            return _mark_jpeg(data, xmp)
        if data.startswith(_PNG_SIGNATURE):
            return _mark_png(data, xmp)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _mark_webp(data, xmp)
    except (struct.error, IndexError) as error:
        raise ProvenanceError(say("picture file is cut short; it cannot be marked as generated")) from error
    raise ProvenanceError(
        say("cannot mark a file that begins with {beginning!r}; allowed: JPEG, PNG, WebP", beginning=data[:4])
    )


def source_type(data: bytes) -> str | None:
    """Return the digital source type a picture file states, None when it states none.

    Reads through Pillow, not through the code that wrote it, so that it proves what others will see.

    Raises:
        ProvenanceError: The bytes are no picture.
    """
    try:
        with Image.open(BytesIO(data)) as picture:
            raw = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
        raise ProvenanceError(say("not a picture: {error}", error=error)) from error
    if not raw:
        return None
    try:
        root = fromstring(raw if isinstance(raw, str) else raw.decode("utf-8").strip("\x00"))
    except (ParseError, DefusedXmlException, UnicodeDecodeError):
        return None
    name = f"{{{_IPTC_EXT}}}DigitalSourceType"
    for node in root.iter():
        if node.tag == name:
            return (node.text or "").strip() or node.get(f"{{{_RDF}}}resource")
        if name in node.attrib:
            return str(node.attrib[name])
    return None


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of the segments before the compressed data."""
    at = 2
    while data[at] == 0xFF and data[at + 1] != 0xDA:
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        if end > len(data):
            raise IndexError(end)
        yield data[at + 1], at, end
        at = end


def _mark_jpeg(data: bytes, xmp: bytes) -> bytes:
    head, old = 2, []
    for marker, start, end in _jpeg_segments(data):
        # JFIF and EXIF readers insist on finding their segments first.
        if marker == 0xE0 or (marker == 0xE1 and data[start + 4 : start + 8] == b"Exif"):
            head = end
        elif marker == 0xE1 and data.startswith(_JPEG_XMP, start + 4):
            old.append((start, end))
    payload = _JPEG_XMP + xmp
    if len(payload) > _JPEG_SEGMENT_MAX_BYTES:
        raise ProvenanceError(say("XMP packet of {size} bytes does not fit a JPEG segment of 65,533", size=len(xmp)))
    segment = b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload
    body = data
    for start, end in reversed(old):
        body = body[:start] + body[end:]
        if end <= head:
            head -= end - start
    return body[:head] + segment + body[head:]


def _mark_png(data: bytes, xmp: bytes) -> bytes:
    out = [_PNG_SIGNATURE]
    body = _PNG_XMP + b"\x00\x00\x00\x00\x00" + xmp
    chunk = struct.pack(">I", len(body)) + b"iTXt" + body + struct.pack(">I", zlib.crc32(b"iTXt" + body))
    at = len(_PNG_SIGNATURE)
    while at < len(data):
        length = struct.unpack_from(">I", data, at)[0]
        end = at + 12 + length
        if end > len(data):
            raise IndexError(end)
        kind = data[at + 4 : at + 8]
        if not (kind == b"iTXt" and data.startswith(_PNG_XMP + b"\x00", at + 8)):
            out.append(data[at:end])
        if kind == b"IHDR":
            out.append(chunk)
        at = end
    return b"".join(out)


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\x00" * (len(body) % 2)


def _mark_webp(data: bytes, xmp: bytes) -> bytes:
    chunks: list[tuple[bytes, bytes]] = []
    at = 12
    while at + 8 <= len(data):
        length = struct.unpack_from("<I", data, at + 4)[0]
        if at + 8 + length > len(data):
            raise IndexError(length)
        if data[at : at + 4] != b"XMP ":
            chunks.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    if not chunks:
        raise IndexError(at)
    if chunks[0][0] == b"VP8X":
        header = chunks.pop(0)[1]
        header = bytes([header[0] | _WEBP_XMP]) + header[1:]
    else:
        header = _webp_header(data, {kind for kind, _ in chunks}, chunks[0])
    body = b"".join(_webp_chunk(kind, part) for kind, part in [(b"VP8X", header), *chunks, (b"XMP ", xmp)])
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _webp_header(data: bytes, kinds: set[bytes], first: tuple[bytes, bytes]) -> bytes:
    """Build the extended header a simple WebP file lacks; without it readers ignore metadata."""
    with Image.open(BytesIO(data)) as picture:
        width, height = picture.size
    flags = _WEBP_XMP | (_WEBP_ICC if b"ICCP" in kinds else 0)
    # Bit 28 of a lossless stream says that it uses alpha.
    if b"ALPH" in kinds or (first[0] == b"VP8L" and first[1][4] & 0x10):
        flags |= _WEBP_ALPHA
    return bytes([flags, 0, 0, 0]) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
