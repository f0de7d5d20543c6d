// Checks JSON as it is typed, lays it out, and copies ids. Nothing waits for it: a form is sent whatever it says.
document.documentElement.classList.add("js");

// The place of a mistake. A browser that names none means the end.
function place_of(text, message) {
  const named = /line (\d+) column (\d+)/.exec(message);
  if (named) return [named[1], named[2]];
  const position = /position (\d+)/.exec(message);
  const before = text.slice(0, position ? Number(position[1]) : text.length).split("\n");
  return [before.length, before.at(-1).length + 1];
}

function problem_of(text) {
  if (!text.trim()) return "";
  try {
    JSON.parse(text);
    return "";
  } catch ({ message }) {
    const [line, column] = place_of(text, message);
    return `Line ${line}, column ${column}: ${message.replace(/ (in JSON )?at (position|line).*/, "")}`;
  }
}

function check(field) {
  const problem = problem_of(field.value);
  const told = document.getElementById(field.getAttribute("aria-describedby"));
  if (told.textContent !== problem) told.textContent = problem;
  if (problem) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  return !problem;
}

// A line for each value. A parse would lose the digits of large numbers, and the order of names.
function laid_out(text) {
  let out = "", depth = 0;
  const line = () => "\n" + "  ".repeat(Math.min(depth, 16));
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  tokens.forEach((token, n) => {
    const is_empty = "{[".includes(token) && "}]".includes(tokens[n + 1]);
    const was_empty = "}]".includes(token) && "{[".includes(tokens[n - 1]);
    if ("}]".includes(token)) depth -= 1;
    if ("}]".includes(token) && !was_empty) out += line();
    out += token === ":" ? ": " : token;
    if ("{[".includes(token)) depth += 1;
    if (token === "," || ("{[".includes(token) && !is_empty)) out += line();
  });
  return out;
}

let waiting;
document.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-json]")) return;
  clearTimeout(waiting);
  waiting = setTimeout(check, 250, target);
});

document.addEventListener("click", async ({ target }) => {
  if (target.matches("[data-lays-out]")) {
    const field = target.closest(".field").querySelector("[data-json]");
    if (check(field)) field.value = laid_out(field.value);
  }
  if (target.matches("[data-copy]")) {
    await navigator.clipboard.writeText(target.dataset.copy);
    target.textContent = "Copied";
    setTimeout(() => (target.textContent = "Copy"), 1500);
  }
});
