"""A small client of the service: calls operations of the table by their names."""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from seatkeeper.cli.outcomes import Failed, fault, refused, unavailable

URL_DEFAULT: Final = "http://127.0.0.1:8484"
SECONDS_MAX: Final = 60
RETRY_ADVICE: Final = "start it with `seatkeeper serve`, or set SEATKEEPER_URL"


class Unanswered(Failed):
    """It is not known whether the request took effect; the same one may be sent again."""


@dataclass(frozen=True, slots=True)
class Client:
    """Calls one service with one API key, in the name of the member `actor` if there is one."""

    url: str
    key: str
    actor: str | None = None

    def call(
        self,
        name: str,
        /,
        *,
        idempotency_key: str | None = None,
        **values: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401  any JSON
        """What the operation of that name answers; values that are None are left out.

        Raises: Failed with exit code 2 for a refusal, Unanswered where no answer came.
        """
        method, path = _routes()[name]
        given = {key: value for key, value in values.items() if value is not None}
        for parameter in re.findall(r"{(\w+)}", path):
            part = urllib.parse.quote(str(given.pop(parameter)), safe="")
            path = path.replace(f"{{{parameter}}}", part)
        body = None
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        if method in ("GET", "DELETE"):
            path += f"?{urllib.parse.urlencode(given)}" if given else ""
        else:
            body = json.dumps(given).encode()
            headers["Content-Type"] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        if self.actor is not None:
            headers["Seatkeeper-Actor"] = self.actor
        request = urllib.request.Request(  # noqa: S310  the scheme was checked
            self.url + path, data=body, headers=headers, method=method
        )
        return _answer(request)

    def items(self, name: str, /, **values: Any) -> list[Any]:  # noqa: ANN401  any command
        """Every item of a list, page after page."""
        found: list[Any] = []
        after = None
        while True:
            page = self.call(name, **values, limit=200, after=after)
            found += page["items"]
            after = page["next"]
            if after is None:
                return found


def client() -> Client:
    """The client of SEATKEEPER_URL with SEATKEEPER_API_KEY."""
    url = (os.environ.get("SEATKEEPER_URL") or URL_DEFAULT).rstrip("/")
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise fault(f"SEATKEEPER_URL is no address of a service: {url}", f"such as {URL_DEFAULT}")
    key = os.environ.get("SEATKEEPER_API_KEY")
    if not key:
        raise fault(
            "There is no API key to call the service with.",
            "set SEATKEEPER_API_KEY",
            "where the service runs, `seatkeeper api-key create NAME` makes one",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise fault("SEATKEEPER_API_KEY is no API key: it has characters that none has.")
    return Client(url, key)


@cache
def _routes() -> dict[str, tuple[str, str]]:
    from seatkeeper.api.table import TABLE

    return {operation.name: (operation.method, operation.path) for operation in TABLE}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the API key to wherever it points."""

    def redirect_request(self, *arguments: Any) -> None:  # noqa: ANN401  the library's six
        """Never followed."""


def _answer(request: urllib.request.Request) -> Any:  # noqa: ANN401  any JSON
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(request, timeout=SECONDS_MAX) as response:
            return _json(response.read())
    except urllib.error.HTTPError as error:
        with error:
            raise _problem(error.code, error.read()) from None
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise Unanswered(
            unavailable("").code, f"{request.host} does not answer: {reason}", RETRY_ADVICE
        ) from None


def _problem(status: int, body: bytes) -> Failed:
    try:
        problem = json.loads(body)
        detail, code = problem["detail"], problem["code"]
    except (ValueError, KeyError, TypeError):
        return fault(f"The answer ({status}) is not of Seatkeeper.", "look at SEATKEEPER_URL")
    if code in ("unavailable", "request_in_progress", "rate_limited"):
        failed = unavailable("")
        return Unanswered(failed.code, f"{detail} ({code})", f"request {problem['instance']}")
    return refused(problem)


def _json(body: bytes) -> Any:  # noqa: ANN401  any JSON
    try:
        return json.loads(body)
    except ValueError:
        raise fault("The answer is not of Seatkeeper.", "look at SEATKEEPER_URL") from None
