// One server for the run: the one of `mockgraph run -- npm test`, or one of its own.
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { createInterface } = require("node:readline");

module.exports = async () => {
  if (process.env.MOCKGRAPH_URL) return;
  const server = spawn("mockgraph", ["serve", "--port", "0", "--quiet", "--seed", "demo"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [ready] = await once(createInterface({ input: server.stdout }), "line");
  process.env.MOCKGRAPH_URL = /http:\/\/[^/]+/.exec(ready)[0];
  globalThis.mockgraph = server;
};
