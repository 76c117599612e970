"use strict";
// Runs gRPC's interoperability cases from grpc-js: reads the name of a case per line, answers one JSON line each.

const fs = require("node:fs");
const readline = require("node:readline");
const { parseArgs } = require("node:util");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");
const cases = require("./cases");

const CASE_TIMEOUT_MS = 20_000;

const { values: flags } = parseArgs({
  options: {
    address: { type: "string" },
    ca: { type: "string" },
    probes: { type: "boolean", default: false },
    protos: { type: "string" },
  },
});

const schema = loader.loadSync("grpc/testing/test.proto", { includeDirs: [flags.protos], keepCase: true });
const { TestService, UnimplementedService } = grpc.loadPackageDefinition(schema).grpc.testing;
const credentials = flags.ca ? grpc.credentials.createSsl(fs.readFileSync(flags.ca)) : grpc.credentials.createInsecure();

function connect(options = {}) {
  return new TestService(flags.address, credentials, { "grpc.max_receive_message_length": 16 << 20, ...options });
}

const stub = connect();
const compressing = connect({ "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip });
const stranger = new UnimplementedService(flags.address, credentials);

async function judge(name) {
  const deadline = Date.now() + CASE_TIMEOUT_MS; // grpc-js ends every call of the case by then
  const run = { stub, compressing, stranger, connect, deadline, probes: flags.probes };
  try {
    await cases[name](run);
    return "";
  } catch (problem) {
    return String(problem?.stack ?? problem);
  }
}

async function main() {
  for await (const name of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify({ Case: name, Error: await judge(name) })}\n`);
  }
  process.exit(); // timers of deadlines that were never reached would keep it for as long as they run
}

main();
