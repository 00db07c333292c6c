/** A button in a `.code` copies the code beside it, and says so for a moment. */

const SAID_MS = 1600;

export function copyButtons(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>(".code > .copy")) {
    const code = button.parentElement?.querySelector("code");
    const { textContent: says } = button;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code?.textContent?.trimEnd() ?? "");
      button.textContent = button.dataset.copied ?? says;
      setTimeout(() => {
        button.textContent = says;
      }, SAID_MS);
    });
  }
}
