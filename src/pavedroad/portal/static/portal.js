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
