"""A refusal as an HTTP response, the same JSON from every layer and page."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from relaybook.errors import InvalidArguments, IssuerUnreachable, NotFound, Refusal, StoreFault

#: The status by the class of the refusal; of all others it is 403.
STATUSES: tuple[tuple[type[Refusal], int], ...] = (
    (InvalidArguments, 400),
    (StoreFault, 503),
    (IssuerUnreachable, 503),
)


def refused(refusal: Refusal, status: int | None = None) -> JSONResponse:
    """The response that says it, with `status` or that of its class."""
    usual = next((code for kind, code in STATUSES if isinstance(refusal, kind)), 403)
    return JSONResponse({"error": refusal.as_dict()}, status or usual)


def wrong_method(path: str, method: str, methods: str) -> Refusal:
    """The refusal of a method that a page does not answer; it does `methods`."""
    return InvalidArguments(
        f"{path[:80]!r} does not answer {method[:20]}.",
        allowed=methods,
        next="use one of these methods",
    )


async def no_page(request: Request, error: Exception) -> JSONResponse:
    """The response where no page is, or none that answers that method."""
    assert isinstance(error, HTTPException)
    path = request.url.path[:80]
    if error.status_code == 405:
        methods = (error.headers or {}).get("Allow", "")
        refusal: Refusal = wrong_method(path, request.method, methods)
    else:
        refusal = NotFound(
            f"There is no page {path!r}.",
            allowed="/mcp for the tools, /board for people, /health, /ready, /metrics",
            next="correct the path",
        )
    answer = refused(refusal, error.status_code)
    answer.headers.update(error.headers or {})
    return answer
