// The rows that a hunting query found, as a table.
const results = document.getElementById("results");
const most = 1000;

function shown(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function row(kind, texts) {
  const made = document.createElement("tr");
  for (const text of texts) {
    const cell = document.createElement(kind);
    if (kind === "th") cell.scope = "col";
    cell.textContent = text;
    made.append(cell);
  }
  return made;
}

// The rows of another query are not left below one that fails.
document.addEventListener("submit", () => results.replaceChildren());

document.addEventListener("answered", (event) => {
  const { schema, results: rows } = event.detail;
  const table = document.createElement("table");
  table.createCaption().textContent =
    `${rows.length} ${rows.length === 1 ? "row" : "rows"}${rows.length > most ? `, the first ${most}` : ""}`;
  const names = schema.map((each) => each.name);
  table.createTHead().append(row("th", names));
  const body = table.createTBody();
  for (const each of rows.slice(0, most)) body.append(row("td", names.map((name) => shown(each[name]))));
  results.replaceChildren(table);
});
