const root = document.documentElement;
document.getElementById("lang").onclick = () => { root.lang = root.lang === "ja" ? "en" : "ja"; };
document.getElementById("theme").onclick = () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
};
