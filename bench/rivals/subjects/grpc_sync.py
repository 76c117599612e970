"""Sync grpcio with its thread pool."""

from bench.rivals.subjects.python import python_rival

RIVAL = python_rival("grpc-sync", "grpcio, ten threads", "grpc_sync", ("grpcio", "protobuf"))
