// From the fields of a form to the path and the body of a request to the control plane.

function valueOf(field) {
  const text = field.value;
  switch (field.dataset.kind) {
    case "text":
      return text;
    case "list":
      return text.split("\n").map((each) => each.trim()).filter(Boolean);
    case "json":
      try {
        return JSON.parse(text);
      } catch (error) {
        throw new Error(`${field.name}: ${error.message}`);
      }
    default: // a text, unless it is JSON: 2, null, true, {"a": 1}
      try { return JSON.parse(text); } catch { return text; }
  }
}

export function valuesOf(form) {
  let path = form.dataset.path;
  const members = JSON.parse(form.dataset.fixed ?? "{}");
  const query = new URLSearchParams();
  let body;
  for (const field of form.querySelectorAll("[data-kind]")) {
    if (field.value.trim() === "" && !field.required) continue;
    if (field.dataset.in === "path") {
      path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    } else if (field.dataset.in === "query") {
      query.append(field.name, field.value);
    } else if (field.dataset.in === "whole") {
      JSON.parse(field.value);
      body = field.value;
    } else {
      members[field.name] = valueOf(field);
    }
  }
  const asked = query.size ? `${path}?${query}` : path;
  if (body === undefined && form.dataset.body === "members") body = members;
  return { path: asked, body };
}
