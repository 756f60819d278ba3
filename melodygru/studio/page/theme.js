// Dark or light: as the system has it, until somebody chooses.

import { button } from "./elements.js";

const STORE = "melodygru theme";

/** @returns {string | null} what was chosen */
function chosen() {
  try {
    return localStorage.getItem(STORE);
  } catch {
    return null;
  }
}

/** Put the colours on, and keep them as the system and the button say. */
export function dress() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const put = () => (document.documentElement.dataset.theme = chosen() ?? (system.matches ? "dark" : "light"));
  put();
  system.addEventListener("change", put);
  button("theme").addEventListener("click", () => {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(STORE, theme);
    } catch {
      // Without storage it lasts as long as the page.
    }
  });
}
