"""grpc.aio as its tutorial has it: what a Python team would write first."""

from bench.rivals.subjects.python import python_rival

RIVAL = python_rival("grpc-aio", "grpc.aio on asyncio", "grpc_aio", ("grpcio", "protobuf"))
