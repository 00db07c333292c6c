/**
 * A button in a `.code` copies the code beside it, and says so for a moment. Where the browser
 * refuses, the code is selected; where there is no clipboard (plain HTTP), there are no buttons.
 */

const SAID_MS = 1600;

export function copyButtons(): void {
  // Otherwise than its type says, it is missing where the page has not come over HTTPS.
  if ((navigator.clipboard as Clipboard | undefined) === undefined) return;
  document.documentElement.classList.add("copying");
  for (const button of document.querySelectorAll<HTMLButtonElement>(".code > .copy")) {
    const code = button.parentElement?.querySelector("code");
    const { textContent: says } = button;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code?.textContent?.trimEnd() ?? "");
      } catch {
        if (code) getSelection()?.selectAllChildren(code);
        return;
      }
      button.textContent = button.dataset.copied ?? says;
      setTimeout(() => {
        button.textContent = says;
      }, SAID_MS);
    });
  }
}
