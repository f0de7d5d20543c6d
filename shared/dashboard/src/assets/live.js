// Keeps a page fresh by server-sent events while it is looked at. Without JavaScript the page refreshes itself.
// What has focus, is open, selected or typed stays: only what differs is changed. Times are told in the reader's zone.
const { seconds, now } = document.currentScript.dataset;
const ahead = new Date(now) - Date.now();
const main = document.querySelector("main");
const connection = document.getElementById("connection");
let source, held;

function ago(at) {
  const span = Math.round((Date.now() + ahead - at) / 1000);
  const size = Math.abs(span);
  if (!size) return "just now";
  const [unit, name] = size < 60 ? [1, "s"] : size < 3600 ? [60, "min"] : size < 172800 ? [3600, "h"] : [86400, "d"];
  const text = `${Math.floor(size / unit)} ${name}`;
  return span > 0 ? `${text} ago` : `in ${text}`;
}

const in_full = (at) => at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
const two = "2-digit";
const to_the_ms = { hour: two, minute: two, second: two, fractionalSecondDigits: 3, hourCycle: "h23" };
const of_day = (at) => at.toLocaleTimeString(undefined, to_the_ms);
const shown = { moment: in_full, time: of_day };

function tell_times() {
  for (const time of document.querySelectorAll("time")) {
    const is_told = time.dataset.told;
    if (is_told && time.dataset.shows) continue;
    const at = new Date(time.dateTime);
    const text = (shown[time.dataset.shows] ?? ago)(at);
    if (time.textContent !== text) time.textContent = text;
    if (is_told) continue;
    time.title = in_full(at);
    time.dataset.told = "yes";
  }
}

// Makes a node like another one. Children that have an id stay with it, wherever they are.
function become(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== fresh.nodeName) {
    if (!old.isEqualNode(fresh)) old.replaceWith(fresh);
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
  }
  become_children(old, fresh);
}

function become_children(old, fresh) {
  const known = new Map([...old.children].filter((it) => it.id).map((it) => [it.id, it]));
  const wanted = new Set([...fresh.children].map((it) => it.id));
  let next = old.firstChild;
  const pass = () => {
    while (next?.id && !wanted.has(next.id)) {
      const gone = next;
      next = next.nextSibling;
      gone.remove();
    }
  };
  for (const child of [...fresh.childNodes]) {
    pass();
    const same = child.id ? known.get(child.id) : next?.id ? null : next;
    if (!same) {
      old.insertBefore(child, next);
    } else {
      if (same === next) next = next.nextSibling;
      else old.insertBefore(same, next);
      become(same, child);
    }
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

function show(event) {
  connection.textContent = "";
  const fresh = new DOMParser().parseFromString(`<main>${JSON.parse(event.data).main}</main>`, "text/html");
  held = fresh.querySelector("main");
  renew();
}

// What is selected would be lost; it is shown afterwards.
function renew() {
  if (!held || !getSelection().isCollapsed) return;
  become_children(main, held);
  held = null;
  tell_times();
}

function follow() {
  if (document.hidden) return leave();
  if (source) return;
  source = new EventSource(location.href);
  source.onmessage = show;
  source.addEventListener("last", (event) => {
    show(event);
    leave();
    document.removeEventListener("visibilitychange", follow);
  });
  source.onerror = () => {
    connection.textContent = "Not connected: it is tried again";
    if (source?.readyState !== EventSource.CLOSED) return;
    leave();
    setTimeout(follow, 10_000);
  };
}

// A browser has few connections to one server: a page that is hidden keeps none.
function leave() {
  source?.close();
  source = null;
}

tell_times();
setInterval(tell_times, 1000);
document.addEventListener("selectionchange", renew);
if (seconds) {
  document.addEventListener("visibilitychange", follow);
  // The page has just been made: it is worth another look in so many seconds.
  setTimeout(follow, seconds * 1000);
}
