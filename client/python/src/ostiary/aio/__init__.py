"""The same for asyncio."""

from ._auth import AuthClient, TokenClient
from ._verifier import Verifier

__all__ = ["AuthClient", "TokenClient", "Verifier"]
