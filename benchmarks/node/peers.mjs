// The peers that run in Node. Each line of standard input is a command, and each line of standard output its answer:
//
//   {"load": FILE}       set the streams to read from now on: an array of streams, each an array of chunks
//   {"run": PEER}        read all streams once, and answer {"seconds": CPU time}
//   {"results": PEER}    read each stream once, and answer with the results; `null` for a stream that the peer rejects
//
// Both peers do less than streamcore: they check neither types nor the order of events, and have no limits. Events are
// discarded, as in the other benchmarks.

import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createParser } from "eventsource-parser";
import { BetaMessageStream } from "@anthropic-ai/sdk/lib/BetaMessageStream";
import { Stream } from "@anthropic-ai/sdk/core/streaming";

// Framing and JSON only. The result is the number of events.
async function eventsourceParser(chunks) {
  let events = 0;
  const parser = createParser({
    onEvent(event) {
      JSON.parse(event.data);
      events += 1;
    },
  });
  const decoder = new TextDecoder();
  for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }));
  return events;
}

// What `client.messages.stream()` does with a response. Like the Python package, it always accumulates. Unlike it, it
// parses a tool's input only when the input is read, each time from its first byte.
async function sdk(chunks) {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const response = new Response(body, { headers: { "content-type": "text/event-stream" } });
  const data = Stream.fromSSEResponse(response, new AbortController());
  const messages = { create: () => ({ withResponse: async () => ({ data, response, request_id: null }) }) };
  const stream = BetaMessageStream.createMessage(messages, { model: "model", max_tokens: 1, messages: [] });
  for await (const event of stream) void event;
  return await stream.finalMessage();
}

const PEERS = { "eventsource-parser": eventsourceParser, "@anthropic-ai/sdk": sdk };

async function run(peer, streams) {
  const start = process.cpuUsage();
  for (const chunks of streams) await peer(chunks);
  const { user, system } = process.cpuUsage(start);
  return { seconds: (user + system) / 1e6 };
}

async function results(peer, streams) {
  const found = [];
  for (const chunks of streams) found.push(await peer(chunks).catch(() => null));
  return found;
}

const require = createRequire(import.meta.url);
const versions = Object.fromEntries(
  Object.keys(PEERS).map((name) => [name, require(`./node_modules/${name}/package.json`).version]),
);
console.log(JSON.stringify({ node: process.version, ...versions }));

let streams = [];
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.load !== undefined) {
    const encoder = new TextEncoder();
    streams = JSON.parse(readFileSync(command.load, "utf-8")).map((chunks) => chunks.map((text) => encoder.encode(text)));
    console.log(JSON.stringify({ streams: streams.length }));
  } else if (command.results !== undefined) {
    console.log(JSON.stringify(await results(PEERS[command.results], streams)));
  } else {
    console.log(JSON.stringify(await run(PEERS[command.run], streams)));
  }
}
