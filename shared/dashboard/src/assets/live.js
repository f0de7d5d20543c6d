// Fetches the page again while it is looked at, and shows what is new. Without JavaScript the page refreshes itself.
// A time that is pointed at is said in the reader's zone.
const period = Number(document.currentScript.dataset.seconds) * 1000;

function tell_times() {
  for (const time of document.querySelectorAll("time")) time.title = new Date(time.dateTime).toLocaleString();
}

async function renew() {
  const main = document.querySelector("main");
  const busy = document.hidden || main.contains(document.activeElement) || main.querySelector("details.asks[open]");
  if (busy || String(getSelection())) return;
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const opened = [...main.querySelectorAll("details[id]")].map((it) => [it.id, it.open]);
  main.replaceWith(page.querySelector("main"));
  tell_times();
  for (const [id, open] of opened) {
    const it = document.getElementById(id);
    if (it) it.open = open;
  }
  if (!page.querySelector("script[data-seconds]")) clearInterval(timer);
}

tell_times();
const timer = period ? setInterval(() => renew().catch(() => {}), period) : 0;
