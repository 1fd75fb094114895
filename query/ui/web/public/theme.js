// Before the first paint: the theme that was chosen here earlier, or the system's.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("clew.theme");
  } catch {
    // Storage may be forbidden; the system's theme then.
  }
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
