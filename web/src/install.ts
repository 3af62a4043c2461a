/**
 * Lets browsers that trust the certificate keep the page and offer it as an app.
 * Where they do not, registration fails and nothing is lost.
 */
export function keepPage(onProblem: (problem: string) => void): void {
  if (!("serviceWorker" in navigator)) return;
  window.addEventListener("load", () => {
    navigator.serviceWorker.register("/sw.js").catch((error: unknown) => {
      onProblem(`service worker: ${String(error)}`);
    });
  });
}
