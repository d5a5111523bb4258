// A button on each block of code that copies it: of a terminal's text the commands alone.
function copied(block) {
  const text = block.querySelector("pre").innerText.trimEnd();
  if (!block.closest(".highlight-console")) return text;
  const commands = text.split("\n").filter((line) => line.startsWith("$ "));
  return commands.map((line) => line.slice(2)).join("\n");
}

for (const block of navigator.clipboard ? document.querySelectorAll("div.highlight") : []) {
  block.querySelector("pre").tabIndex = 0; // wide ones are scrolled by keys as well
  const button = Object.assign(document.createElement("button"), { type: "button", className: "copy" });
  button.textContent = "Copy";
  button.onclick = async () => {
    await navigator.clipboard.writeText(copied(block));
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  block.append(button);
}
