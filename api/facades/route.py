"""Routes whose errors are those of a foreign interface, not problem documents."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from classifier.errors import HotlineError, LedgerUnavailable

from ..problems import RETRY_SECONDS, STATUSES, first_fault

Shape = Callable[[Request, int, str], Response]
"""An error as the interface shows it, by its status and what is to be said."""

BAD_REQUEST, UNPROCESSABLE = 400, 422


def facade_route(shape: Shape) -> type[APIRoute]:
    """A class of routes that show errors in a shape; what is wrong with a request is a 400 there."""

    class FacadeRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def shaped(request: Request) -> Response:
                try:
                    return await handle(request)
                except RequestValidationError as error:
                    return shape(request, BAD_REQUEST, first_fault(error))
                except HTTPException as error:
                    answer = shape(request, error.status_code, str(error.detail))
                    answer.headers.update(error.headers or {})
                    return answer
                except HotlineError as error:
                    found = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
                    status = BAD_REQUEST if found == UNPROCESSABLE else int(found)
                    answer = shape(request, status, str(error))
                    if isinstance(error, LedgerUnavailable):
                        answer.headers["Retry-After"] = str(RETRY_SECONDS)
                    return answer

            return shaped

    return FacadeRoute
