"""The same for asyncio."""

from ._verifier import Verifier

__all__ = ["Verifier"]
