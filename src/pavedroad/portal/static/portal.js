// A notice goes away by itself unless it says that something failed.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "notices") return;
  const notice = event.target.querySelector(".notice:not(.bad)");
  if (notice) setTimeout(() => notice.remove(), 8000);
});
