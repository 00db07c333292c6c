/** Nobody leaves changes that are not saved by accident. */
import { useBlocker } from "@tanstack/react-router";
import i18next from "i18next";
import { useEffect, useEffectEvent } from "react";

const forms = new Set<() => boolean>();

/** Whether something was written on this page and is not saved. */
export const hasUnsaved = (): boolean => [...forms].some((isDirty) => isDirty());

/** False where a person, asked, stays with what is not saved. */
export const mayLeave = (): boolean => !hasUnsaved() || window.confirm(i18next.t("unsaved"));

/** Asks before `isDirty` changes are left, by whatever way; the tabs of a page are no leaving. */
export function useUnsaved(isDirty: () => boolean): void {
  const isDirtyNow = useEffectEvent(isDirty);
  useEffect(() => {
    const form = () => isDirtyNow();
    forms.add(form);
    return () => void forms.delete(form);
  }, []);
  useBlocker({
    shouldBlockFn: ({ current, next }) =>
      current.pathname !== next.pathname && isDirty() && !mayLeave(),
    enableBeforeUnload: isDirty,
  });
}
