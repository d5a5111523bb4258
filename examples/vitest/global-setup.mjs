// One server for the run: the one of `mockgraph run -- npm test`, or one of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export default async function setup(project) {
  if (process.env.MOCKGRAPH_URL) {
    project.provide("mockgraph", process.env.MOCKGRAPH_URL);
    return undefined;
  }
  const server = spawn("mockgraph", ["serve", "--port", "0", "--quiet", "--seed", "demo"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [ready] = await once(createInterface({ input: server.stdout }), "line");
  project.provide("mockgraph", /http:\/\/[^/]+/.exec(ready)[0]);
  return async () => {
    server.kill();
    await once(server, "exit");
  };
}
