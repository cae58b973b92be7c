"""Say what an object store's error means for who runs campaigns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from oppflow.errors import StoreError

_LONGEST = 300  # characters: some servers answer with a page

NO_BUCKET = "NoSuchBucket"

# S3's error codes, https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; and, where
# no server answered, the names of the client's own errors.
_CLOCK = {"RequestTimeTooSkewed", "RequestExpired"}
_CREDENTIALS = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken",
    "TokenRefreshRequired", "InvalidClientTokenId", "NoCredentialsError", "NoAuthTokenError",
    "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound",
}  # fmt: skip
_DENIED = {
    "AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "403", "PermissionError",
    "MethodNotAllowed",
}  # fmt: skip
_BUCKET = {NO_BUCKET, "InvalidBucketName", "ParamValidationError"}
_REGION = {
    "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "301",
    "IllegalLocationConstraintException", "NoRegionError",
}  # fmt: skip
_SERVER = {
    "EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError",
    "HTTPClientError", "ProxyConnectionError", "SSLError", "FSTimeoutError", "TimeoutError",
    "ConnectionRefusedError", "ClientConnectorError", "ResponseParserError", "InvalidEndpointError",
}  # fmt: skip

_SET_CLOCK = (
    "The clocks of this host and of the object store differ by more than the 15 minutes that it "
    "allows: this host's says {now}. Set whichever is wrong, and let NTP keep it."
)
_SET_CREDENTIALS = (
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (for temporary ones AWS_SESSION_TOKEN as "
    "well), or AWS_PROFILE, in the environment of all Airflow processes; for a server that is not "
    "Amazon's, AWS_ENDPOINT_URL too."
)
_GRANT = (
    "The credentials are not allowed to do this. They need s3:ListBucket on the bucket and "
    "s3:GetObject, s3:PutObject and s3:DeleteObject on what is below {url}."
)
_HINTS = (
    (_CLOCK, _SET_CLOCK),
    (_CREDENTIALS, _SET_CREDENTIALS),
    (_DENIED, _GRANT),
    (_BUCKET, "Make the bucket, or correct {setting}: buckets are not made for you."),
    (_REGION, "Set AWS_DEFAULT_REGION to the bucket's region."),
    (_SERVER, "Check that the object store runs, and that AWS_ENDPOINT_URL names it."),
)

MUTE = {"400", "403", "404", "Forbidden", "Bad Request"}
"""Codes of answers without a body, as those to HEAD are: they do not say why."""


@dataclass(frozen=True)
class Place:
    """What to call an object store's URL: ``name`` for people, ``url`` without secrets."""

    name: str
    url: str
    setting: str

    def __str__(self) -> str:
        return f"the {self.name} {self.url}"


def code_of(error: BaseException) -> str:
    """The server's code for an error, or the client's name for it."""
    return answered_code(error) or type(_innermost(error)).__name__


def answered_code(error: BaseException) -> str:
    """The code that the server answered with; empty if it did not say one."""
    for one in _chain(error):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it was made of."""
    one: BaseException | None = error
    for _ in range(5):
        if one is None:
            return
        yield one
        one = one.__cause__


def _innermost(error: BaseException) -> BaseException:
    return list(_chain(error))[-1]


def explain(error: BaseException, what: str, place: Place) -> StoreError:
    """The error for what an object store said to ``what``.

    Only what trying again may mend is transient: no server, or none that says why.
    """
    code = code_of(error)
    text = " ".join(str(error).split()).rstrip(".")[:_LONGEST]
    why = text if code in text else ": ".join(part for part in (code, text) if part)
    explained = StoreError(f"{what} in {place} failed: {why}.", hint=_hint(code, place))
    explained.transient = code not in _CLOCK | _CREDENTIALS | _DENIED | _BUCKET | _REGION
    return explained


def _hint(code: str, place: Place) -> str:
    for codes, hint in _HINTS:
        if code in codes:
            now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
            return hint.format(now=now, setting=place.setting, url=place.url)
    return (
        f"Check {place.setting}, the credentials in the environment, and that they allow "
        "listing, reading, writing and deleting there."
    )
