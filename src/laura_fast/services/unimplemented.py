"""Methods of the contract that this server does not have: said plainly, never pretended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laura_fast.errors import UnimplementedError
from laura_fast.services.binding import inline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import NoReturn

    from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

REASON = "NOT_BUILT"


class Completed:
    """A servicer with every method of its service: `servicer`'s own, and a refusal for each that it lacks."""

    def __init__(self, service: ServiceDescriptor, servicer: object = None) -> None:
        for method in service.methods:
            setattr(self, method.name, getattr(servicer, method.name, None) or refusal(method))


def refusal(method: MethodDescriptor) -> Callable[[Any, Any], Any]:
    """A behaviour that answers UNIMPLEMENTED and names the method."""
    name = f"{method.containing_service.full_name}/{method.name}"

    @inline
    def refuse(_request: Any, _context: Any) -> NoReturn:
        raise UnimplementedError(f"{name} is in the contract, but this server does not have it yet", REASON)

    async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
        refuse(request, context)
        yield  # makes this a generator, as the binding expects of a stream

    return stream if method.server_streaming else refuse
