/** What was asked, in words. */
import { useTranslation } from "react-i18next";

/**
 * By the action's name, which is its route's ("create_bot"); texts have it as the operation's id
 * ("createBot": entrypoints/http/document.py).
 */
export function useActions(): Record<string, string> {
  const { t } = useTranslation("audit");
  return Object.fromEntries(
    Object.entries(t("actions", { returnObjects: true })).map(([operation, words]) => [
      operation.replace(/[A-Z]/g, (one) => `_${one.toLowerCase()}`),
      words,
    ]),
  );
}
