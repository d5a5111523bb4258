// The official JavaScript client against MockGraph, signed in by @azure/identity.
//
//     make serve ARGS=--tls
//     export NODE_EXTRA_CA_CERTS="$(.venv/bin/mockgraph ca | head -n 1)"
//     node examples/graph_client.mjs https://localhost:8366
//
// npm install @azure/identity @microsoft/microsoft-graph-client

import { randomUUID } from "node:crypto";
import process from "node:process";

import { ClientSecretCredential } from "@azure/identity";
import {
  BatchRequestContent,
  BatchResponseContent,
  Client,
  PageIterator,
} from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

const origin = process.argv[2] ?? "https://localhost:8366";
const scope = "https://graph.microsoft.com/.default";
const {
  AZURE_TENANT_ID = "contoso.example",
  AZURE_CLIENT_ID = "an-app",
  AZURE_CLIENT_SECRET = "its secret",
} = process.env;
const run = randomUUID(); // tells the alerts of this run from those of others

function check(fine, message) {
  if (!fine) throw new Error(message);
}

async function signIn() {
  const credential = new ClientSecretCredential(
    AZURE_TENANT_ID,
    AZURE_CLIENT_ID,
    AZURE_CLIENT_SECRET,
    { authorityHost: origin, disableInstanceDiscovery: true },
  );
  check((await credential.getToken(scope)).token, "no token");
  console.log("  signed in with a secret");
  return Client.initWithMiddleware({
    authProvider: new TokenCredentialAuthenticationProvider(credential, { scopes: [scope] }),
    baseUrl: origin,
    defaultVersion: "localtest",
    customHosts: new Set([new URL(origin).hostname]), // else it sends no token there
  });
}

async function changeTheSingleton(client) {
  const before = await client.api("/security").get();
  check(before.providerStatus, `no singleton: ${JSON.stringify(before)}`);
  const status = [{ provider: "Sentry", vendor: "Fabrikam", enabled: true, region: run }];
  await client.api("/security").patch({ providerStatus: status });
  const after = await client.api("/security").version("v1.0").get();
  check(after.providerStatus[0]?.region === run, "what was written is not read back");
  console.log("  read and patched the singleton");
}

async function page(client) {
  for (let number = 0; number < 7; number++) {
    const alert = { title: `Alert ${number}`, severity: "high", tags: [run] };
    check((await client.api("/security/alerts").post(alert)).id, "not created");
  }
  const first = await client
    .api("/security/alerts")
    .filter(`tags/any(tag: tag eq '${run}')`)
    .orderby("title")
    .top(3)
    .get();
  check(first.value.length === 3 && first["@odata.nextLink"], "no next page");
  const alerts = [];
  await new PageIterator(client, first, (alert) => alerts.push(alert) > 0).iterate();
  const titles = alerts.map((alert) => alert.title).join();
  check(titles === [0, 1, 2, 3, 4, 5, 6].map((n) => `Alert ${n}`).join(), `others: ${titles}`);
  console.log(`  paged ${alerts.length} alerts`);
  return alerts;
}

async function sendBatch(client, alerts) {
  const steps = alerts.map(({ id }) => ({
    id,
    request: new Request(`${origin}/security/alerts/${id}`),
  }));
  const content = await new BatchRequestContent(steps).getContent();
  const answer = new BatchResponseContent(await client.api("/$batch").post(content));
  for (const alert of alerts) {
    const item = answer.getResponseById(alert.id);
    check(item.status === 200, `an item got ${item.status}`);
    check((await item.json()).title === alert.title, "an item got another alert");
  }
  console.log(`  batched ${alerts.length} alerts`);
}

// The client comes back by itself when Retry-After has passed.
async function beThrottled(client) {
  const faults = `${origin}/_mockgraph/faults`;
  const fault = { path: "/security", status: 429, headers: { "Retry-After": "1" } };
  const headers = { "Content-Type": "application/json" };
  const put = await fetch(faults, { method: "POST", headers, body: JSON.stringify(fault) });
  const { id } = await put.json();
  await client.api("/security").patch({ providerStatus: [] });
  const left = (await (await fetch(faults)).json()).value;
  check(!left.some((each) => each.id === id), "not throttled");
  console.log("  throttled, and came back");
}

async function beRefused(client) {
  const error = await client.api("/security/alerts/no-such-alert").get().then(
    () => undefined,
    (reason) => reason,
  );
  check(error?.statusCode === 404, `an unknown alert got ${error?.statusCode}`);
  check(error.code === "ResourceNotFound" && error.requestId, `refused: ${error}`);
  console.log("  refused as Graph refuses");
}

try {
  const client = await signIn();
  await changeTheSingleton(client);
  await sendBatch(client, await page(client));
  await beThrottled(client);
  await beRefused(client);
} catch (error) {
  console.error(`graph_client.mjs: ${error.message}`);
  process.exitCode = 1;
}
