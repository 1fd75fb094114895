"""How much of HTTP/2 one connection may use: what its settings say, and what the h2 library leaves to be checked."""

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes, Settings

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MAX_STREAMS = 256
"""Requests at once on one connection, those included whose client left while they were answered."""
STREAM_WINDOW_BYTES = 128 * 1024
CONNECTION_WINDOW_BYTES = 512 * 1024
"""What a connection may send before it is read: its share of memory beside the queue's budget."""
MAX_HEADER_BYTES = 64 * 1024
MAX_FRAME_BYTES = 16 * 1024
"""HTTP/2's own default, and least."""


def server_connection() -> H2Connection:
    """The protocol state of a connection that a client has opened, with these bounds."""
    connection = H2Connection(H2Configuration(client_side=False, header_encoding=None))
    connection.local_settings = Settings(
        client=False,
        initial_values={
            SettingCodes.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
            SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW_BYTES,
            SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEADER_BYTES,
        },
    )
    return connection


class FrameLengths:
    """Looks at the length of every frame as it begins: h2 does so when the frame is whole, be it 16 MB."""

    _HEAD_BYTES = 9

    def __init__(self) -> None:
        self._to_skip = len(PREFACE)
        self._head = b""

    def fit(self, data: bytes) -> bool:
        """Whether no frame that begins in these bytes, the next of the connection, is longer than allowed."""
        at = self._to_skip
        while at < len(data):
            missing = self._HEAD_BYTES - len(self._head)
            self._head += data[at : at + missing]
            if len(self._head) < self._HEAD_BYTES:
                at = len(data)
                break
            length = int.from_bytes(self._head[:3])
            if length > MAX_FRAME_BYTES:
                return False
            at += missing + length
            self._head = b""
        self._to_skip = at - len(data)
        return True
