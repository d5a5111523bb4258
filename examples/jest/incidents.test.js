// A tenant for each worker: tests that run at the same time do not see one another.
const graph = `${process.env.MOCKGRAPH_URL}/t/jest-${process.env.JEST_WORKER_ID}`;

async function control(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${graph}/_mockgraph/${path}`, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error((await answer.json()).error.message);
}

// The code under test.
async function resolve(url, id) {
  const headers = { Authorization: "Bearer any", "Content-Type": "application/json" };
  const body = JSON.stringify({ status: "resolved" });
  const answer = await fetch(`${url}/security/incidents/${id}`, { method: "PATCH", headers, body });
  if (!answer.ok) throw new Error((await answer.json()).error.code);
}

beforeEach(() => control("POST", "reset"));

test("an incident is resolved", async () => {
  const headers = { Authorization: "Bearer any" };
  const listed = await (await fetch(`${graph}/v1.0/security/incidents`, { headers })).json();
  await resolve(`${graph}/v1.0`, listed.value[0].id);
  await control("POST", "verify", {
    method: "PATCH",
    path: "/security/incidents/{id}",
    json: { status: "resolved" },
    times: 1,
  });
});

test("a refusal is passed on", async () => {
  await control("POST", "faults", { preset: "forbidden", method: "PATCH" });
  await expect(resolve(`${graph}/v1.0`, "1")).rejects.toThrow("Authorization_RequestDenied");
});
