import { useBlocker } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

/** Asks before a page with changes that are not saved is left. */
export function useUnsaved(isDirty: () => boolean): void {
  const { t } = useTranslation();
  useBlocker({
    shouldBlockFn: ({ current, next }) =>
      current.pathname !== next.pathname && isDirty() && !window.confirm(t("unsaved")),
    enableBeforeUnload: isDirty,
  });
}
