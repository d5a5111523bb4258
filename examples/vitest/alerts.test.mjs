import { afterEach, beforeEach, expect, inject, test } from "vitest";

// A tenant for each worker: tests that run at the same time do not see one another.
const graph = `${inject("mockgraph")}/t/vitest-${process.env.VITEST_POOL_ID}`;

async function control(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${graph}/_mockgraph/${path}`, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error((await answer.json()).error.message);
}

// The code under test: it waits as it is told, and tries again.
async function highAlerts(url) {
  const headers = { Authorization: "Bearer any" };
  const answer = await fetch(`${url}/security/alerts_v2?$filter=severity eq 'high'`, { headers });
  if (answer.status !== 429) return (await answer.json()).value;
  await new Promise((resolve) => setTimeout(resolve, 1000 * answer.headers.get("Retry-After")));
  return highAlerts(url);
}

beforeEach(() => control("POST", "reset"));
afterEach(async () => {
  const answer = await fetch(`${graph}/_mockgraph/misdeeds`);
  expect((await answer.json()).value).toEqual([]);
});

test("high alerts are read", async () => {
  expect(await highAlerts(`${graph}/v1.0`)).toHaveLength(16);
});

test("a throttle is waited for", async () => {
  await control("POST", "faults", { preset: "throttle", retry_after: 0.1 });
  expect(await highAlerts(`${graph}/v1.0`)).toHaveLength(16);
  await control("POST", "verify", { path: "/security/alerts_v2", times: 2 });
});
