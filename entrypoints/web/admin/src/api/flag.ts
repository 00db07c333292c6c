/** Something that is so or not, for pages and others to follow. */
import { useSyncExternalStore } from "react";

export function makeFlag(value: boolean) {
  const listeners = new Set<() => void>();
  const get = (): boolean => value;
  /** Calls `listener` whenever it changes; returns how to stop that. */
  const subscribe = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const set = (now: boolean): void => {
    if (now === value) return;
    value = now;
    for (const listener of listeners) listener();
  };
  return { get, set, subscribe, useValue: () => useSyncExternalStore(subscribe, get) };
}
