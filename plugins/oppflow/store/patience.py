"""How often to ask a Redis server again, and when not to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from redis.backoff import ExponentialBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, RedisError
from redis.retry import Retry

_T = TypeVar("_T")

# Seconds: 7 together, long enough for a Redis that is restarted.
_RETRIES = 6
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 2.0


class RefusedError(RedisError):
    """User or password are wrong."""


class Patience(Retry):
    """Retries lost connections and late answers, but not a refused password.

    The library takes that for a lost connection, and retries connecting within retrying a command:
    two minutes to learn of a wrong password.
    """

    def __init__(self, retries: int = _RETRIES) -> None:
        super().__init__(ExponentialBackoff(cap=_LONGEST_WAIT, base=_FIRST_WAIT), retries)

    def call_with_retry(self, do: Callable[[], _T], *args: Any, **options: Any) -> _T:
        """Do it as the base class does, but raise `RefusedError` at once."""

        def attempt() -> _T:
            try:
                return do()
            except (AuthenticationError, AuthorizationError) as error:
                raise RefusedError(str(error)) from error

        return super().call_with_retry(attempt, *args, **options)


PATIENCE = Patience()
