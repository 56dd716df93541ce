"""HTTP/1.1 as uvicorn reads it with llhttp, its heads bounded, and no blanks around their values."""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: How long the head of a request may be, in bytes, besides what came with its end.
HEAD_LIMIT = 64 * 1024


class BoundedHttp(HttpToolsProtocol):
    """One connection.

    llhttp keeps a head of any length and the blanks after a value (RFC 9112, 5.1: they are no
    part of it), on which names, tokens and the kind of a call would depend. It leaves the body
    of a request unread that offers another protocol, such as `Upgrade: h2c`.
    """

    _is_in_head = False
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        if not self._is_in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_LIMIT and not self.transport.is_closing():
            self.send_400_response(f"The head of a request is longer than {HEAD_LIMIT} bytes.")

    def _feed(self, data: bytes) -> None:
        """Read on; a request that offers an upgrade is read again as if it offered nothing.

        So RFC 9110, 7.8, has it of a server that does not take the offer.
        """
        while True:
            try:
                return self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                if not self._should_upgrade():
                    return None
                data = self._head_without_offer() + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn

    def _should_upgrade(self) -> bool:
        """Whether the request is to be read again; uvicorn leaves it alone until then."""
        return any(name == b"upgrade" for name, _ in self.headers)

    def _head_without_offer(self) -> bytes:
        method, version = self.scope["method"], self.scope["http_version"]
        lines = [b"%s %s HTTP/%s" % (method.encode(), self.url, version.encode())]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()
