const { once } = require("node:events");

module.exports = async () => {
  const server = globalThis.mockgraph;
  if (!server) return;
  server.kill();
  await once(server, "exit");
};
