// msal-node against MockGraph, the calls by fetch, which is told here to live with throttling.
//
//     make serve ARGS=--tls
//     export NODE_EXTRA_CA_CERTS="$(.venv/bin/mockgraph ca | head -n 1)"
//     node examples/msal_node.mjs https://localhost:8366
//
// npm install @azure/msal-node

import { randomUUID } from "node:crypto";
import process from "node:process";
import { setTimeout } from "node:timers/promises";

import { ConfidentialClientApplication } from "@azure/msal-node";

const origin = process.argv[2] ?? "https://localhost:8366";
const graph = `${origin}/localtest`;
const scopes = ["https://graph.microsoft.com/.default"];
const {
  AZURE_TENANT_ID = "contoso.example",
  AZURE_CLIENT_ID = "an-app",
  AZURE_CLIENT_SECRET = "its secret",
} = process.env;
const run = randomUUID(); // tells the alerts of this run from those of others

const app = new ConfidentialClientApplication({
  auth: {
    clientId: AZURE_CLIENT_ID,
    clientSecret: AZURE_CLIENT_SECRET,
    authority: `${origin}/${AZURE_TENANT_ID}`,
    knownAuthorities: [new URL(origin).host], // else it asks login.microsoftonline.com
  },
});

let waited = 0;

function check(fine, message) {
  if (!fine) throw new Error(message);
}

// A call with a token of MSAL's, made up to four times, each when Retry-After has passed.
async function ask(method, url, body) {
  const { accessToken } = await app.acquireTokenByClientCredential({ scopes });
  const headers = { Authorization: `Bearer ${accessToken}`, "Content-Type": "application/json" };
  for (let retries = 0; ; retries++) {
    const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
    const isThrottled = [429, 503, 504].includes(answer.status);
    if (!isThrottled || retries === 3) {
      const text = await answer.text();
      check(answer.ok, `${method} ${url}: ${answer.status} ${text}`);
      return JSON.parse(text);
    }
    await answer.body?.cancel();
    const seconds = Number(answer.headers.get("Retry-After") ?? 1);
    await setTimeout(seconds * 1000);
    waited += seconds;
  }
}

async function signIn() {
  const first = await app.acquireTokenByClientCredential({ scopes });
  const second = await app.acquireTokenByClientCredential({ scopes });
  check(!first.fromCache && second.fromCache, "the token was not kept");
  console.log("  signed in with a secret");
}

async function changeTheSingleton() {
  check((await ask("GET", `${graph}/security`)).providerStatus, "no singleton");
  const status = [{ provider: "Sentry", vendor: "Fabrikam", enabled: true, region: run }];
  await ask("PATCH", `${graph}/security`, { providerStatus: status });
  const after = await ask("GET", `${graph}/security`);
  check(after.providerStatus[0]?.region === run, "what was written is not read back");
  console.log("  read and patched the singleton");
}

async function page() {
  for (let number = 0; number < 7; number++) {
    const alert = { title: `Alert ${number}`, severity: "high", tags: [run] };
    await ask("POST", `${graph}/security/alerts`, alert);
  }
  const alerts = [];
  let pages = 0;
  let url = `${graph}/security/alerts?$filter=tags/any(tag: tag eq '${run}')&$orderby=title&$top=3`;
  for (; url; pages++) {
    const page = await ask("GET", url);
    alerts.push(...page.value);
    url = page["@odata.nextLink"];
  }
  check(alerts.length === 7 && pages === 3, `${alerts.length} alerts in ${pages} pages`);
  console.log(`  paged ${alerts.length} alerts in ${pages} pages`);
  return alerts;
}

async function sendBatch(alerts) {
  const requests = alerts.map(({ id }) => ({ id, method: "GET", url: `/security/alerts/${id}` }));
  const { responses } = await ask("POST", `${graph}/$batch`, { requests });
  const titles = new Map(responses.map((item) => [item.id, item.body.title]));
  check(
    alerts.every((alert) => titles.get(alert.id) === alert.title),
    `other batch: ${JSON.stringify(responses)}`,
  );
  console.log(`  batched ${alerts.length} alerts`);
}

async function beThrottled() {
  const fault = { path: "/security", status: 429, headers: { "Retry-After": "1" } };
  await ask("POST", `${origin}/_mockgraph/faults`, fault);
  await ask("PATCH", `${graph}/security`, { providerStatus: [] });
  check(waited === 1, `waited for ${waited} seconds, not 1`);
  console.log("  throttled, and came back");
}

try {
  await signIn();
  await changeTheSingleton();
  await sendBatch(await page());
  await beThrottled();
} catch (error) {
  console.error(`msal_node.mjs: ${error.message}`);
  process.exitCode = 1;
}
