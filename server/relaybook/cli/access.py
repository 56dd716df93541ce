"""How callers over HTTP are recognised: by tokens of the ledger, or of an OAuth issuer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaybook.errors import InvalidArguments
from relaybook.settings import Settings

if TYPE_CHECKING:
    from relaybook.engine import Engine
    from relaybook.surface.http.access import Access
    from relaybook.surface.http.oauth import OAuth


@dataclass(frozen=True, slots=True)
class Ways:
    """How callers are recognised; where by nothing, anyone may call."""

    token: bool
    issuer: str
    audience: str
    resource: str
    jwks: str

    def oauth(self) -> "OAuth | None":
        """The issuer's side, if there is an issuer.

        Raises:
            InvalidArguments: something is missing, or no URL.
        """
        if not self.issuer:
            self._refuse_without_issuer()
            return None
        if not self.resource:
            raise InvalidArguments(
                "Tokens of an issuer are made for a server that they name.",
                next="add --public-url, the URL that clients reach this server by",
            )
        from relaybook.surface.http.oauth import Issuer, OAuth

        audience = self.audience or self.resource
        return OAuth(
            Issuer(issuer=self.issuer, audience=audience, resource=self.resource, jwks=self.jwks)
        )

    def _refuse_without_issuer(self) -> None:
        """Refuse what is said of an issuer's tokens where none would be checked."""
        for option, said in (("--oauth-audience", self.audience), ("--oauth-jwks", self.jwks)):
            if said:
                raise InvalidArguments(
                    f"{option} says how the tokens of an OAuth issuer are checked; no issuer is "
                    "named, so none would be.",
                    next=f"add --oauth-issuer and --public-url, or leave {option} out",
                )

    def access(self, engine: "Engine", settings: Settings, oauth: "OAuth | None") -> "Access":
        """Who a caller is found to be."""
        from relaybook.surface.http.access import Anyone, AsWorkers, Either
        from relaybook.surface.http.tokens import Tokens

        tokens = Tokens(engine) if self.token else None
        access = Either(tokens, oauth) if tokens and oauth else tokens or oauth
        if access is None:
            return Anyone(settings.role)
        return AsWorkers(access) if settings.role == "worker" else access
