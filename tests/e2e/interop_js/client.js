// gRPC's published interoperability cases from @grpc/grpc-js. Prints one JSON object, case to "" or what went wrong.
'use strict';

const assert = require('assert');
const fs = require('fs');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [address, protos, authority] = process.argv.slice(2);
const files = ['empty', 'messages', 'test'].map((name) => `grpc/testing/${name}.proto`);
const testing = grpc.loadPackageDefinition(loader.loadSync(files, { includeDirs: [protos], keepCase: true, defaults: true })).grpc.testing;
const security = authority ? grpc.credentials.createSsl(fs.readFileSync(authority)) : grpc.credentials.createInsecure();
const options = authority ? { 'grpc.ssl_target_name_override': 'localhost' } : {};
const client = new testing.TestService(address, security, options);

const REQUEST_SIZES = [27182, 8, 1828, 45904];
const RESPONSE_SIZES = [31415, 9, 2653, 58979];
const SPECIAL = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
const deadline = () => ({ deadline: Date.now() + 20000 });
const payload = (size) => ({ body: Buffer.alloc(size) });
const wants = (sizes, size = 0, interval_us = 0) =>
  ({ response_parameters: sizes.map((wanted) => ({ size: wanted, interval_us })), payload: payload(size) });

const unary = (method, request, metadata = new grpc.Metadata(), on = {}) => new Promise((resolve, reject) => {
  const call = client[method](request, metadata, deadline(), (error, answer) => (error ? reject(error) : resolve(answer)));
  for (const [event, heard] of Object.entries(on)) call.on(event, heard);
});

// Everything that came on a stream, or its error.
const collected = (call) => new Promise((resolve, reject) => {
  const answers = [];
  call.on('data', (answer) => answers.push(answer)).on('error', reject).on('end', () => resolve(answers));
});

const fails = async (promise, code, details) => {
  const error = await promise.then(() => assert.fail('no error'), (caught) => caught);
  assert.strictEqual(error.code, code, error.message);
  if (details !== undefined) assert.strictEqual(error.details, details);
};

const sizesOf = (answers) => answers.map((answer) => answer.payload.body.length);

const cases = {
  async empty_unary() { await unary('EmptyCall', {}); },
  async large_unary() {
    const answer = await unary('UnaryCall', { response_size: 314159, payload: payload(271828) });
    assert.strictEqual(answer.payload.body.length, 314159);
  },
  async client_streaming() {
    const answer = await new Promise((resolve, reject) => {
      const call = client.StreamingInputCall(deadline(), (error, got) => (error ? reject(error) : resolve(got)));
      REQUEST_SIZES.forEach((size) => call.write({ payload: payload(size) }));
      call.end();
    });
    assert.strictEqual(answer.aggregated_payload_size, 74922);
  },
  async server_streaming() {
    assert.deepStrictEqual(sizesOf(await collected(client.StreamingOutputCall(wants(RESPONSE_SIZES), deadline()))), RESPONSE_SIZES);
  },
  async ping_pong() {
    const call = client.FullDuplexCall(deadline());
    let turn = 0;
    const next = () => call.write(wants([RESPONSE_SIZES[turn]], REQUEST_SIZES[turn]));
    call.on('data', () => { turn += 1; if (turn < REQUEST_SIZES.length) next(); else call.end(); });
    next();
    assert.deepStrictEqual(sizesOf(await collected(call)), RESPONSE_SIZES);
  },
  async empty_stream() {
    const call = client.FullDuplexCall(deadline());
    call.end();
    assert.deepStrictEqual(await collected(call), []);
  },
  async cancel_after_begin() {
    await fails(new Promise((resolve, reject) => {
      const call = client.StreamingInputCall(deadline(), (error) => (error ? reject(error) : resolve()));
      setImmediate(() => call.cancel());
    }), grpc.status.CANCELLED);
  },
  async cancel_after_first_response() {
    const call = client.FullDuplexCall(deadline());
    call.write(wants([31415], 27182));
    call.on('data', () => call.cancel());
    await fails(collected(call), grpc.status.CANCELLED);
  },
  async timeout_on_sleeping_server() {
    const call = client.StreamingOutputCall(wants([9], 0, 1000000), { deadline: Date.now() + 50 });
    await fails(collected(call), grpc.status.DEADLINE_EXCEEDED);
  },
  async custom_metadata() {
    const sent = new grpc.Metadata();
    sent.set('x-grpc-test-echo-initial', 'test_initial_metadata_value');
    sent.set('x-grpc-test-echo-trailing-bin', Buffer.from([0xab, 0xab, 0xab]));
    let initial;
    let status;
    await unary('UnaryCall', { response_size: 1 }, sent, {
      metadata: (got) => { initial = got; }, status: (got) => { status = got; },
    });
    assert.deepStrictEqual(initial.get('x-grpc-test-echo-initial'), ['test_initial_metadata_value']);
    await new Promise(setImmediate);
    assert.deepStrictEqual(status.metadata.get('x-grpc-test-echo-trailing-bin'), [Buffer.from([0xab, 0xab, 0xab])]);
  },
  async status_code_and_message() {
    await fails(unary('UnaryCall', { response_status: { code: 2, message: 'test status message' } }), 2, 'test status message');
  },
  async special_status_message() {
    await fails(unary('UnaryCall', { response_status: { code: 2, message: SPECIAL } }), 2, SPECIAL);
  },
  async unimplemented_method() { await fails(unary('UnimplementedCall', {}), grpc.status.UNIMPLEMENTED); },
  async compressed_unary() {
    const gzip = new testing.TestService(address, security, { ...options, 'grpc.default_compression_algorithm': 2 });
    const request = { response_size: 314159, payload: payload(271828), expect_compressed: { value: true }, response_compressed: { value: true } };
    const answer = await new Promise((resolve, reject) => {
      gzip.UnaryCall(request, deadline(), (error, got) => (error ? reject(error) : resolve(got)));
    });
    assert.strictEqual(answer.payload.body.length, 314159);
    gzip.close();
  },
};

(async () => {
  const outcome = {};
  for (const [name, run] of Object.entries(cases)) {
    outcome[name] = await run().then(() => '', (error) => String(error));
  }
  console.log(JSON.stringify(outcome));
  client.close();
})();
