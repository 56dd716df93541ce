"""A refusal as an HTTP response, the same JSON from every layer and page."""

from starlette.responses import JSONResponse

from relaybook.errors import InvalidArguments, Refusal, StoreFault

#: The status by the class of the refusal; of all others it is 403.
STATUSES: tuple[tuple[type[Refusal], int], ...] = ((InvalidArguments, 400), (StoreFault, 503))


def refused(refusal: Refusal, status: int | None = None) -> JSONResponse:
    """The response that says it, with `status` or that of its class."""
    usual = next((code for kind, code in STATUSES if isinstance(refusal, kind)), 403)
    return JSONResponse({"error": refusal.as_dict()}, status or usual)
