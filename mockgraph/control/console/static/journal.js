// The journal as it is written: each line comes by server-sent events, all of it as text.
const table = document.getElementById("journal");
const state = document.getElementById("journal-state");
const { control, console: pages } = document.documentElement.dataset;
const most = 500;

function cell(text, name) {
  const made = document.createElement("td");
  made.textContent = text;
  if (name) made.className = name;
  return made;
}

function badges(each) {
  const made = document.createElement("td");
  const words = each.answeredBy === "emulation" ? [] : [[each.answeredBy, ""]];
  for (const fault of each.faults) words.push([fault, ""]);
  for (const misdeed of each.misdeeds) words.push([misdeed.rule, " bad"]);
  for (const [word, kind] of words) {
    const badge = document.createElement("span");
    badge.className = `badge${kind}`;
    badge.textContent = word;
    made.append(badge, " ");
  }
  return made;
}

function line(each) {
  const row = document.createElement("tr");
  row.className = each.misdeeds.length ? "new misdeed" : "new";
  const link = document.createElement("a");
  link.href = `${pages}/journal/${each.number}`;
  link.textContent = each.number;
  link.setAttribute("aria-label", `Request ${each.number}`);
  const first = document.createElement("td");
  first.append(link);
  row.append(
    first,
    cell(each.at.slice(11, 23), "mono time"),
    cell(each.method),
    cell(each.url.length > 300 ? `${each.url.slice(0, 297)}...` : each.url, "mono url"),
    cell(each.status, each.status < 400 ? "good" : "bad"),
    cell(each.durationMs.toFixed(1), "number"),
    badges(each),
  );
  return row;
}

function add(each) {
  const body = table.tBodies[0];
  body.prepend(line(each));
  while (body.rows.length > most) body.lastElementChild.remove();
  document.getElementById("journal-empty").hidden = true;
}

function empty() {
  table.tBodies[0].replaceChildren();
  document.getElementById("journal-empty").hidden = false;
}

const events = new EventSource(`${control}/requests/events?after=${table.dataset.after}`);
events.addEventListener("request", (event) => add(JSON.parse(event.data)));
events.addEventListener("cleared", empty);
events.addEventListener("open", () => { state.textContent = "Live"; state.className = "badge good"; });
events.addEventListener("error", () => {
  events.close();
  state.textContent = "Connection lost; load the page again";
  state.className = "badge bad";
});
