// What every page of the console does: copying, tabs, forms that ask the control plane, refreshing.
import { valuesOf } from "./forms.js";

const base = document.documentElement.dataset.control;

export async function ask(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = typeof body === "string" ? body : JSON.stringify(body);
  }
  const answer = await fetch(base + path, options);
  const text = await answer.text();
  let value = null;
  try { value = text ? JSON.parse(text) : null; } catch { value = text; }
  if (!answer.ok) throw new Error(value?.error?.message ?? `${answer.status} ${answer.statusText}`);
  return value;
}

// The parts of the page that follow the server, as it last had them: what a person typed stays.
const shown = new Map();
for (const part of document.querySelectorAll("[data-live]")) shown.set(part.id, part.innerHTML);

// Put what the server shows now in the place of the parts that are no longer the same there.
export async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = page.getElementById(part.id);
    if (!next || next.innerHTML === shown.get(part.id)) continue;
    shown.set(part.id, next.innerHTML);
    part.replaceChildren(...next.childNodes);
  }
}

function say(form, text, kind) {
  const output = form.querySelector("output");
  if (!output) return;
  output.className = kind;
  output.textContent = text;
}

async function submit(form) {
  const question = form.dataset.confirm;
  if (question && !confirm(question)) return;
  try {
    const { path, body } = valuesOf(form);
    const value = await ask(form.dataset.act, path, body);
    const shown = form.dataset.shows;
    if (shown === "text") say(form, Object.values(value ?? {})[0] ?? "Done.", "good mono");
    else say(form, form.dataset.done ?? "Done.", "good");
    form.dispatchEvent(new CustomEvent("answered", { detail: value, bubbles: true }));
    if (form.dataset.next) {
      location.assign(form.dataset.next.replace("{id}", encodeURIComponent(value?.id ?? "")));
    } else {
      await refresh();
    }
  } catch (error) {
    say(form, error.message, "bad");
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-act]");
  if (!form) return;
  event.preventDefault();
  submit(form);
});

async function copy(button) {
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function select(tab) {
  for (const each of tab.parentElement.querySelectorAll("[role=tab]")) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", chosen);
    each.tabIndex = chosen ? 0 : -1;
    document.getElementById(each.getAttribute("aria-controls")).hidden = !chosen;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".copy > button");
  if (button) copy(button);
  const tab = event.target.closest("[role=tab]");
  if (tab) select(tab);
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest("[role=tab]");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!tab || !step) return;
  const tabs = [...tab.parentElement.querySelectorAll("[role=tab]")];
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  select(next);
  next.focus();
});

// A select that says which form is shown: the server makes that one, the page stays.
document.addEventListener("change", (event) => {
  const choice = event.target.closest("select[data-chooses]");
  if (!choice) return;
  history.replaceState(null, "", `?${new URLSearchParams({ [choice.dataset.chooses]: choice.value })}`);
  refresh();
});

document.addEventListener("change", async (event) => {
  const file = event.target.closest("input[type=file][data-into]");
  if (file?.files[0]) document.getElementById(file.dataset.into).value = await file.files[0].text();
});
