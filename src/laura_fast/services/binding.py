"""From a servicer to handlers that any transport can run: parse, behaviour and serialise are bound once, at set-up."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc
from google.protobuf import message_factory

from laura_fast.errors import RpcError
from laura_fast.services.exchange import exchanges, in_task, is_exchange
from laura_fast.services.status import abort_with, explain
from laura_fast.transport.marks import EXCHANGE, INLINE, Inline

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

    Context = grpc.aio.ServicerContext[Any, Any]
    UnaryBehaviour = Callable[[Any, Context], Awaitable[Any]]
    StreamBehaviour = Callable[[Any, Context], AsyncGenerator[Any]]

Behaviour = TypeVar("Behaviour", bound="Callable[..., Any]")

_UNPARSED: Final = "__laura_fast_unparsed__"


def inline(answer: Behaviour) -> Behaviour:
    """Marks a plain function (request, context) → answer that never waits, so that a transport may just call it."""
    setattr(answer, INLINE, True)
    return answer


def unparsed(behaviour: Behaviour) -> Behaviour:
    """Marks a behaviour that takes the bytes of each request, refuses by itself what does not parse, answers bytes."""
    setattr(behaviour, _UNPARSED, True)
    return behaviour


def in_coroutine(answer: Callable[[Any, Context], Any]) -> UnaryBehaviour:
    """The same as a coroutine function, for transports that know nothing else."""

    async def behaviour(request: Any, context: Context) -> Any:
        try:
            return answer(request, context)
        except RpcError as error:
            await abort_with(context, error)

    setattr(behaviour, INLINE, Inline(answer, explain))
    return behaviour


def bind(service: ServiceDescriptor, servicer: object, *, name: str = "") -> grpc.GenericRpcHandler:
    """Makes the generic handler of one service, served under its own full name or under `name`.

    Behaviours are the servicer's attributes named like the methods: coroutine functions, async generator functions, or
    what `inline` and `exchange` mark. Each answers messages or, where the bytes are
    cached, `bytes` that are sent as they are. An `RpcError` becomes its status with details; a method that the
    servicer lacks is UNIMPLEMENTED.
    """
    handlers = {
        name: _handler(method, getattr(servicer, name))
        for name, method in service.methods_by_name.items()
        if hasattr(servicer, name)
    }
    return grpc.method_handlers_generic_handler(name or service.full_name, handlers)


def _handler(method: MethodDescriptor, behaviour: Callable[..., Any]) -> grpc.RpcMethodHandler[Any, Any]:
    codecs = {} if getattr(behaviour, _UNPARSED, False) else _codecs(method)
    if method.server_streaming:
        factory = (
            grpc.stream_stream_rpc_method_handler if method.client_streaming else grpc.unary_stream_rpc_method_handler
        )
        return factory(stream_behaviour(behaviour), **codecs)
    factory = grpc.stream_unary_rpc_method_handler if method.client_streaming else grpc.unary_unary_rpc_method_handler
    return factory(in_coroutine(behaviour) if getattr(behaviour, INLINE, False) else _guard_unary(behaviour), **codecs)


def _codecs(method: MethodDescriptor) -> dict[str, Callable[..., Any]]:
    parse = message_factory.GetMessageClass(method.input_type).FromString
    return {"request_deserializer": parse, "response_serializer": serialise}


def serialise(answer: Any) -> bytes:
    """Bytes of a message; bytes pass."""
    return answer if type(answer) is bytes else answer.SerializeToString()


def _guard_unary(behaviour: UnaryBehaviour) -> UnaryBehaviour:
    async def guarded(request: Any, context: Context) -> Any:
        try:
            return await behaviour(request, context)
        except RpcError as error:
            await abort_with(context, error)

    return guarded


def stream_behaviour(behaviour: Any) -> StreamBehaviour:
    """The behaviour of a stream that turns an `RpcError` into its status; what `exchange` marked, in both forms."""
    if not is_exchange(behaviour):
        return _guard_stream(behaviour)
    guarded = _guard_stream(in_task(behaviour))
    setattr(guarded, EXCHANGE, exchanges(behaviour))
    return guarded


def _guard_stream(behaviour: StreamBehaviour) -> StreamBehaviour:
    async def guarded(request: Any, context: Context) -> AsyncGenerator[Any]:
        try:
            async with aclosing(behaviour(request, context)) as answers:  # a cancelled stream lets go at once
                async for answer in answers:
                    yield answer
        except RpcError as error:
            await abort_with(context, error)

    return guarded
