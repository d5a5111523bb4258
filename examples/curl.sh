#!/usr/bin/env bash
# curl against MockGraph; --retry waits for as long as Retry-After says.
#
#   make serve ARGS=--tls
#   export CURL_CA_BUNDLE="$(.venv/bin/mockgraph ca | head -n 1)"
#   examples/curl.sh https://localhost:8366
set -euo pipefail

origin=${1:-https://localhost:8366}
graph=$origin/localtest
tenant=${AZURE_TENANT_ID:-contoso.example}
run=run-$$-$RANDOM # tells the alerts of this run from those of others

fail() {
  echo "curl.sh: $*" >&2
  exit 1
}

# The text of one member of a JSON object on stdin; jq would do it better, where there is one.
member() {
  grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | sed 's/^"[^"]*": *"//; s/"$//'
}

ask() { # METHOD URL [BODY]
  curl --silent --show-error --fail-with-body --max-time 30 --retry 3 --request "$1" \
    --header "Authorization: Bearer $token" \
    ${3:+--header Content-Type:application/json --data "$3"} "$2"
}

token=$(curl --silent --show-error --fail-with-body "$origin/$tenant/oauth2/v2.0/token" \
  --data grant_type=client_credentials \
  --data-urlencode "client_id=${AZURE_CLIENT_ID:-an-app}" \
  --data-urlencode "client_secret=${AZURE_CLIENT_SECRET:-its secret}" \
  --data-urlencode scope=https://graph.microsoft.com/.default | member access_token) ||
  fail "no token"
echo "  signed in with a secret"

ask GET "$graph/security" | grep -q providerStatus || fail "no singleton"
status="{\"providerStatus\": [{\"provider\": \"Sentry\", \"enabled\": true, \"region\": \"$run\"}]}"
ask PATCH "$graph/security" "$status" >/dev/null || fail "not patched"
ask GET "$graph/security" | grep -q "$run" || fail "what was written is not read back"
echo "  read and patched the singleton"

for number in 1 2 3 4 5; do
  alert="{\"title\": \"Alert $number\", \"severity\": \"high\", \"tags\": [\"$run\"]}"
  ask POST "$graph/security/alerts" "$alert" >/dev/null || fail "not created"
done
url="$graph/security/alerts?\$filter=tags/any(t:t%20eq%20'$run')&\$select=id,title&\$top=2"
pages=0 ids=
while [ -n "$url" ]; do
  page=$(ask GET "$url") || fail "no page: $page"
  pages=$((pages + 1))
  ids+=" $(grep -o '"id": *"[^"]*"' <<<"$page" | sed 's/^"id": *"//; s/"$//' | tr '\n' ' ')"
  url=$(member @odata.nextLink <<<"$page" || true)
done
[ "$pages" = 3 ] || fail "$pages pages"
[ "$(wc -w <<<"$ids")" = 5 ] || fail "other alerts:$ids"
echo "  paged 5 alerts in 3 pages"

items=
for id in $ids; do
  items+="${items:+, }{\"id\": \"$id\", \"method\": \"GET\", \"url\": \"/security/alerts/$id\"}"
done
batch=$(ask POST "$graph/\$batch" "{\"requests\": [$items]}") || fail "no batch: $batch"
[ "$(grep -o '"status": *200' <<<"$batch" | wc -l)" = 5 ] || fail "other batch: $batch"
echo "  batched 5 alerts"

fault='{"path": "/security", "status": 429, "headers": {"Retry-After": "1"}}'
id=$(ask POST "$origin/_mockgraph/faults" "$fault" | member id) || fail "no fault"
ask PATCH "$graph/security" "$status" >/dev/null || fail "throttled, and did not come back"
! ask GET "$origin/_mockgraph/faults" | grep -q "\"id\": *\"$id\"" || fail "not throttled"
echo "  throttled, and came back"
