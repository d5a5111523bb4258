// The ways to sign in that @azure/identity knows, each against MockGraph.
//
//     make serve ARGS=--tls
//     export NODE_EXTRA_CA_CERTS="$(.venv/bin/mockgraph ca | head -n 1)"
//     node examples/credentials.mjs https://localhost:8366
//
// npm install @azure/identity

import process from "node:process";

import {
  AuthorizationCodeCredential,
  ClientSecretCredential,
  DefaultAzureCredential,
  DeviceCodeCredential,
  ManagedIdentityCredential,
  UsernamePasswordCredential,
} from "@azure/identity";

const origin = process.argv[2] ?? "https://localhost:8366";
const scope = "https://graph.microsoft.com/.default";
const tenant = "contoso.example";
const user = "ada@contoso.example";
const app = "an-app";
const here = { authorityHost: origin, disableInstanceDiscovery: true };

function check(fine, message) {
  if (!fine) throw new Error(message);
}

// The control plane stands in for the person who enters the code in a browser.
async function approve(code) {
  const url = `${origin}/_mockgraph/devices/${code}/approve`;
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ user }) });
  check(answer.ok, `the device is not approved: ${answer.status}`);
}

const ways = {
  secret: () => new ClientSecretCredential(tenant, app, "its secret", here),

  password: () => new UsernamePasswordCredential(tenant, app, user, "any but wrong", here),

  "device code": () =>
    new DeviceCodeCredential({
      ...here,
      tenantId: tenant,
      clientId: app,
      userPromptCallback: ({ userCode }) => approve(userCode),
    }),

  // With a hint of who signs in, the page sends the browser back at once.
  "authorization code": async () => {
    const redirectUri = "http://localhost/signed-in";
    const query = new URLSearchParams({
      client_id: app,
      response_type: "code",
      redirect_uri: redirectUri,
      scope: `openid offline_access ${scope}`,
      login_hint: user,
    });
    const url = `${origin}/${tenant}/oauth2/v2.0/authorize?${query}`;
    const page = await fetch(url, { redirect: "manual" });
    check(page.status === 302, `no code: ${page.status}`);
    const code = new URL(page.headers.get("location")).searchParams.get("code");
    return new AuthorizationCodeCredential(tenant, app, code, redirectUri, here);
  },

  environment: () => {
    process.env.AZURE_AUTHORITY_HOST = origin;
    process.env.AZURE_TENANT_ID = tenant;
    process.env.AZURE_CLIENT_ID = app;
    process.env.AZURE_CLIENT_SECRET = "its secret";
    return new DefaultAzureCredential({ disableInstanceDiscovery: true });
  },

  "app service": () => {
    process.env.IDENTITY_ENDPOINT = `${origin}/msi/token`;
    process.env.IDENTITY_HEADER = "any";
    return new ManagedIdentityCredential();
  },

  "virtual machine": () => {
    process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = origin;
    return new ManagedIdentityCredential();
  },
};

async function read(credential) {
  const { token } = await credential.getToken(scope);
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`${origin}/localtest/security`, { headers });
  check(answer.ok, `the token is refused: ${answer.status}`);
}

async function beRefused() {
  const credential = new ClientSecretCredential(tenant, app, "wrong", here);
  const error = await credential.getToken(scope).then(
    () => undefined,
    (reason) => reason,
  );
  check(error?.message.includes("AADSTS7000215"), `a wrong secret got ${error?.message}`);
  console.log("  refused a wrong secret");
}

try {
  const before = { ...process.env };
  for (const [name, way] of Object.entries(ways)) {
    await read(await way());
    process.env = { ...before };
    console.log(`  signed in: ${name}`);
  }
  await beRefused();
} catch (error) {
  console.error(`credentials.mjs: ${error.message}`);
  process.exitCode = 1;
}
