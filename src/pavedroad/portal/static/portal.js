// A notice goes away by itself unless it says that something failed.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "notices") return;
  const notice = event.target.querySelector(".notice:not(.bad)");
  if (notice) setTimeout(() => notice.remove(), 8000);
});

// A sign-in link has its secret after the #, where no server, log or other page sees it. It is used up by the
// button only, so that who merely looks at the address (a preview, a prefetch) spends nothing.
function takeLink() {
  const form = document.getElementById("sign-in");
  if (form) document.getElementById("without-scripts").hidden = true;
  const secret = location.hash.slice(1);
  if (!form || !secret.startsWith("once_")) return;
  history.replaceState(null, "", location.pathname);
  form.elements.token.type = "hidden";
  form.elements.token.value = secret;
  form.querySelector("label").hidden = true;
  document.getElementById("how").hidden = true;
  document.getElementById("by-link").hidden = false;
  form.querySelector("button").focus();
}
addEventListener("DOMContentLoaded", takeLink);
addEventListener("hashchange", takeLink);

// A stream that ends may have ended with the session: then the page is not left standing, as if it were live.
document.addEventListener("htmx:sseError", async () => {
  const answer = await fetch("/signed-in", { redirect: "manual" }).catch(() => null);
  if (answer && answer.type === "opaqueredirect") location.assign("/login");
});

// A page that hears nothing any more says so, and since when: what it shows may be old. Streams are opened anew
// by themselves; one that only hangs is left behind as soon as the platform answers otherwise.
const heard = new Map();
const SILENT_MS = 10_000;
let lostSince = null;
let leaving = false;
function hears(source) {
  heard.set(source, Date.now());
  tellConnection();
}
function tellConnection() {
  const line = document.getElementById("connection");
  const now = Date.now();
  const lost = [...heard].filter(([source, at]) => source.readyState !== EventSource.OPEN || now - at > SILENT_MS);
  if (!line || leaving) return;
  if (!lost.length) lostSince = null;
  else lostSince ??= new Date(Math.min(...lost.map(([, at]) => at)));
  line.hidden = !lost.length;
  if (lost.length) {
    const since = lostSince.toISOString().slice(11, 19);
    line.textContent = `Disconnected: this is as of ${since} UTC, and may be old. Trying again…`;
  }
}
document.addEventListener("htmx:sseOpen", ({ target, detail: { source } }) => {
  for (const known of heard.keys()) if (known.element === target) heard.delete(known);
  source.element = target;
  source.addEventListener("alive", () => hears(source));
  hears(source);
});
document.addEventListener("htmx:sseMessage", ({ target }) => {
  for (const source of heard.keys()) if (source.element.contains(target)) hears(source);
});
document.addEventListener("htmx:sseError", tellConnection);
document.addEventListener("htmx:sseClose", ({ detail: { source } }) => heard.delete(source));
addEventListener("pagehide", () => { leaving = true; });
addEventListener("pageshow", () => { leaving = false; });
setInterval(async () => {
  tellConnection();
  const hangs = [...heard].some(([source, at]) =>
    source.readyState === EventSource.OPEN && Date.now() - at > 2 * SILENT_MS);
  if (!hangs) return;
  const answer = await fetch("/signed-in", { redirect: "manual", signal: AbortSignal.timeout(5000) }).catch(() => null);
  if (answer) location.reload();
}, 2000);
document.addEventListener("htmx:sendError", () => {
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.textContent = "The platform did not answer, and this was not done. Try again when it is back.";
  document.getElementById("notices").replaceChildren(notice);
});

// A console is read at its end, and stays there while lines come, unless its reader has scrolled up.
let readAt = Infinity;
function place() {
  const shown = document.querySelector("pre.console");
  if (shown) shown.scrollTop = readAt === Infinity ? shown.scrollHeight : readAt;
}
document.addEventListener("scroll", ({ target }) => {
  if (!target.matches?.("pre.console")) return;
  const left = target.scrollHeight - target.clientHeight - target.scrollTop;
  readAt = left < 20 ? Infinity : target.scrollTop;
}, true);
addEventListener("DOMContentLoaded", place);
document.addEventListener("htmx:sseMessage", place);
