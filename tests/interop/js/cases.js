"use strict";
// The cases of gRPC's published description that grpc-js can express, by their published names.

const assert = require("node:assert/strict");
const grpc = require("@grpc/grpc-js");

const { status } = grpc;
const NO_COMPRESS = 2; // write flag of the gRPC core, which grpc-js keeps
const LARGE_REQUEST = 271_828;
const LARGE_RESPONSE = 314_159;
const REQUEST_SIZES = [27_182, 8, 1_828, 45_904];
const RESPONSE_SIZES = [31_415, 9, 2_653, 58_979];
const SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";

const body = (size) => ({ body: Buffer.alloc(size) });
const large = (more = {}) => ({ response_size: LARGE_RESPONSE, payload: body(LARGE_REQUEST), ...more });
const wants = (payload, ...sizes) => ({
  payload: body(payload),
  response_parameters: sizes.map((size) => ({ size })),
});

function sized(answer, size) {
  assert.ok(answer.payload.body.equals(Buffer.alloc(size)), `not ${size} zero bytes`);
}

// A call with one answer: what it brought, whether it went well or not.
function unary(run, stub, method, request, metadata = new grpc.Metadata()) {
  return new Promise((resolve) => {
    const seen = {};
    const call = stub[method](request, metadata, { deadline: run.deadline }, (error, answer) => {
      Object.assign(seen, { error, answer });
    });
    call.on("metadata", (initial) => Object.assign(seen, { initial }));
    call.on("status", (end) => setImmediate(() => resolve({ ...seen, end })));
  });
}

async function answered(...call) {
  const { error, answer } = await unary(...call);
  if (error) {
    throw error;
  }
  return answer;
}

// A call with a stream of answers; `next` is the following one, undefined behind the last, and `end` the status.
function streaming(run, method, request, metadata = new grpc.Metadata(), options = {}) {
  const all = { deadline: run.deadline, ...options };
  const call = request ? run.stub[method](request, metadata, all) : run.stub[method](metadata, all);
  const initial = new Promise((resolve) => call.once("metadata", resolve));
  const end = new Promise((resolve) => call.once("status", resolve));
  call.on("error", () => {}); // it is the status, too
  const answers = call[Symbol.asyncIterator]();
  return { call, initial, end, next: async () => (await answers.next()).value };
}

async function ends(stream, code = status.OK) {
  const end = await stream.end;
  assert.equal(end.code, code, end.details);
  return end;
}

async function brings(stream, sizes) {
  for (const size of sizes) {
    sized(await stream.next(), size);
  }
  assert.equal(await stream.next(), undefined);
  await ends(stream);
}

// A call with a stream of requests, each written with its flags; resolves to error and answer.
function upload(run, stub, requests, { cancel = false } = {}) {
  return new Promise((resolve) => {
    const options = { deadline: run.deadline };
    const call = stub.StreamingInputCall(options, (error, answer) => resolve({ error, answer }));
    for (const [request, writeFlags] of requests) {
      call.write(request, writeFlags);
    }
    if (cancel) {
      call.cancel();
    } else {
      call.end();
    }
  });
}

async function statusAndMessage(run, message) {
  const response_status = { code: status.UNKNOWN, message };
  const { error } = await unary(run, run.stub, "UnaryCall", { response_status });
  assert.equal(error.code, status.UNKNOWN);
  assert.equal(error.details, message);
  const stream = streaming(run, "FullDuplexCall");
  stream.call.end({ response_status });
  await assert.rejects(stream.next());
  assert.equal((await ends(stream, status.UNKNOWN)).details, message);
}

async function unimplemented(run, stub) {
  const { error } = await unary(run, stub, "UnimplementedCall", {});
  assert.equal(error.code, status.UNIMPLEMENTED);
}

async function largeUnary(run, stub = run.stub) {
  sized(await answered(run, stub, "UnaryCall", large()), LARGE_RESPONSE);
}

const SOAK_ITERATIONS = 10;
const CONCURRENT_CALLS = 20;

module.exports = {
  async empty_unary(run) {
    await answered(run, run.stub, "EmptyCall", {});
  },
  async large_unary(run) {
    await largeUnary(run);
  },
  async concurrent_large_unary(run) {
    await Promise.all(Array.from({ length: CONCURRENT_CALLS }, () => largeUnary(run)));
  },
  async cacheable_unary(run) {
    const metadata = new grpc.Metadata({ cacheableRequest: true });
    metadata.set("x-user-ip", "1.2.3.4");
    await answered(run, run.stub, "CacheableUnaryCall", { payload: body(1) }, metadata);
  },
  async client_streaming(run) {
    const { error, answer } = await upload(run, run.stub, REQUEST_SIZES.map((size) => [{ payload: body(size) }]));
    assert.ifError(error);
    assert.equal(answer.aggregated_payload_size, 74_922);
  },
  async server_streaming(run) {
    await brings(streaming(run, "StreamingOutputCall", wants(0, ...RESPONSE_SIZES)), RESPONSE_SIZES);
  },
  async ping_pong(run) {
    const stream = streaming(run, "FullDuplexCall");
    for (const [index, size] of REQUEST_SIZES.entries()) {
      stream.call.write(wants(size, RESPONSE_SIZES[index]));
      sized(await stream.next(), RESPONSE_SIZES[index]);
    }
    stream.call.end();
    await brings(stream, []);
  },
  async half_duplex(run) {
    const stream = streaming(run, "HalfDuplexCall");
    for (const size of RESPONSE_SIZES) {
      stream.call.write(wants(0, size));
    }
    stream.call.end();
    await brings(stream, RESPONSE_SIZES);
  },
  async empty_stream(run) {
    const stream = streaming(run, "FullDuplexCall");
    stream.call.end();
    await brings(stream, []);
  },
  async cancel_after_begin(run) {
    const { error } = await upload(run, run.stub, [], { cancel: true });
    assert.equal(error.code, status.CANCELLED);
  },
  async cancel_after_first_response(run) {
    const stream = streaming(run, "FullDuplexCall");
    stream.call.write(wants(27_182, 31_415));
    sized(await stream.next(), 31_415);
    stream.call.cancel();
    await ends(stream, status.CANCELLED);
  },
  async timeout_on_sleeping_server(run) {
    const stream = streaming(run, "FullDuplexCall", undefined, undefined, { deadline: Date.now() + 1 });
    stream.call.write(wants(27_182));
    await ends(stream, status.DEADLINE_EXCEEDED);
  },
  async custom_metadata(run) {
    const [initialKey, trailingKey] = ["x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"];
    const [text, octets] = ["test_initial_metadata_value", Buffer.from([0xab, 0xab, 0xab])];
    const metadata = new grpc.Metadata();
    metadata.set(initialKey, text);
    metadata.set(trailingKey, octets);
    const one = await unary(run, run.stub, "UnaryCall", large(), metadata);
    const stream = streaming(run, "FullDuplexCall", undefined, metadata);
    stream.call.end(wants(LARGE_REQUEST, LARGE_RESPONSE));
    await brings(stream, [LARGE_RESPONSE]);
    for (const [initial, end] of [[one.initial, one.end], [await stream.initial, await stream.end]]) {
      assert.deepEqual(initial.get(initialKey), [text]);
      assert.deepEqual(end.metadata.get(trailingKey), [octets]);
    }
  },
  async status_code_and_message(run) {
    await statusAndMessage(run, "test status message");
  },
  async special_status_message(run) {
    await statusAndMessage(run, SPECIAL);
  },
  async unimplemented_method(run) {
    await unimplemented(run, run.stub);
  },
  async unimplemented_service(run) {
    await unimplemented(run, run.stranger);
  },
  async client_compressed_unary(run) {
    if (run.probes) {
      const { error } = await unary(run, run.stub, "UnaryCall", large({ expect_compressed: { value: true } }));
      assert.equal(error.code, status.INVALID_ARGUMENT);
    }
    for (const [stub, value] of [[run.compressing, true], [run.stub, false]]) {
      sized(await answered(run, stub, "UnaryCall", large({ expect_compressed: { value } })), LARGE_RESPONSE);
    }
  },
  async server_compressed_unary(run) {
    for (const value of [true, false]) {
      sized(await answered(run, run.stub, "UnaryCall", large({ response_compressed: { value } })), LARGE_RESPONSE);
    }
  },
  async client_compressed_streaming(run) {
    const announced = (value, size) => ({ payload: body(size), expect_compressed: { value } });
    if (run.probes) {
      const { error } = await upload(run, run.stub, [[announced(true, 27_182)]]);
      assert.equal(error.code, status.INVALID_ARGUMENT);
    }
    const mixed = [[announced(true, 27_182)], [announced(false, 45_904), NO_COMPRESS]];
    const { error, answer } = await upload(run, run.compressing, mixed);
    assert.ifError(error);
    assert.equal(answer.aggregated_payload_size, 73_086);
  },
  async server_compressed_streaming(run) {
    const response_parameters = [
      { size: 31_415, compressed: { value: true } },
      { size: 92_653, compressed: { value: false } },
    ];
    await brings(streaming(run, "StreamingOutputCall", { response_parameters }), [31_415, 92_653]);
  },
  async rpc_soak(run) {
    for (let iteration = 0; iteration < SOAK_ITERATIONS; iteration += 1) {
      await largeUnary(run);
    }
  },
  async channel_soak(run) {
    for (let iteration = 0; iteration < SOAK_ITERATIONS; iteration += 1) {
      const stub = run.connect({ "grpc.use_local_subchannel_pool": 1 });
      await largeUnary(run, stub);
      stub.close();
    }
  },
};
