// The versions that stand beside this one, as versions.json in the folder above names them. Where
// there is none, as in a build of one's own, nothing is shown.
const select = document.getElementById("versions");
const root = document.documentElement.dataset.content_root ?? "./";

async function offerVersions() {
  if (!select || location.protocol === "file:") return;
  const answer = await fetch(new URL(`${root}../versions.json`, location.href));
  if (!answer.ok) return;
  const here = new URL(root, location.href).pathname.split("/").filter(Boolean).pop();
  for (const version of await answer.json()) {
    select.add(new Option(version, version, false, version === here));
  }
  select.onchange = () => location.assign(new URL(`${root}../${select.value}/`, location.href));
  select.parentElement.hidden = false;
}

offerVersions().catch(() => {});
