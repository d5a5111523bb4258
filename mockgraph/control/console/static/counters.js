// The parts of a page that say so follow the journal: what each fault struck, what was asked.
import { refresh } from "./console.js";

const { control } = document.documentElement.dataset;
const events = new EventSource(`${control}/requests/events`);
let waiting = null;

function soon() {
  if (waiting) return;
  waiting = setTimeout(async () => {
    waiting = null;
    await refresh();
  }, 250);
}

events.addEventListener("request", soon);
events.addEventListener("cleared", soon);
