// Fetches the page again while it is looked at, and shows what is new. Without JavaScript the page refreshes itself.
const period = Number(document.currentScript.dataset.seconds) * 1000;

async function renew() {
  const main = document.querySelector("main");
  const busy = document.hidden || main.contains(document.activeElement) || main.querySelector("details.asks[open]");
  if (busy || String(getSelection())) return;
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const opened = [...main.querySelectorAll("details[id]")].map((it) => [it.id, it.open]);
  main.replaceWith(page.querySelector("main"));
  for (const [id, open] of opened) {
    const it = document.getElementById(id);
    if (it) it.open = open;
  }
  if (!page.querySelector("script[data-seconds]")) clearInterval(timer);
}

const timer = setInterval(() => renew().catch(() => {}), period);
