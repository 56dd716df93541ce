"""HTTP/1.1 as uvicorn reads it with llhttp, its heads bounded, and no blanks around their values."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: How long the head of a request may be, in bytes, besides what came with its end.
HEAD_LIMIT = 64 * 1024


class BoundedHttp(HttpToolsProtocol):
    """One connection.

    llhttp keeps a head of any length and the blanks after a value (RFC 9112, 5.1: they are no
    part of it), on which names, tokens and the kind of a call would depend.
    """

    _is_in_head = False
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._is_in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_LIMIT and not self.transport.is_closing():
            self.send_400_response(f"The head of a request is longer than {HEAD_LIMIT} bytes.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()
