"""MQTT packets as bytes, written down independently of the code under test."""

import struct


def length(count: int) -> bytes:
    """A remaining length: 7 bits a byte, lowest first."""
    out = bytearray()
    while True:
        count, low = divmod(count, 128)
        out.append(low | (0x80 if count else 0))
        if not count:
            return bytes(out)


def publish(
    topic: str | bytes,
    payload: bytes,
    packet_id: int = 1,
    *,
    qos: int = 1,
    retain: bool = False,
    dup: bool = False,
) -> bytes:
    name = topic.encode() if isinstance(topic, str) else topic
    body = struct.pack(">H", len(name)) + name
    if qos:
        body += struct.pack(">H", packet_id)
    body += payload
    return bytes([0x30 | dup << 3 | qos << 1 | retain]) + length(len(body)) + body


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + length(len(body)) + body


def connect(client_id: str) -> bytes:
    """A CONNECT that asks for a session to be kept (clean session 0, keepalive 60 s)."""
    name = client_id.encode()
    return packet(0x10, b"\0\x04MQTT\x04\0\0\x3c" + struct.pack(">H", len(name)) + name)


DISCONNECT = b"\xe0\x00"
