/**
 * Whether the API answers. Where it does not, /health is asked every few seconds until it does, so
 * that every page comes back by itself.
 */
import { useSyncExternalStore } from "react";

const ASK_AGAIN_MS = 3_000;

let isAway = false;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function set(value: boolean): void {
  if (isAway === value) return;
  isAway = value;
  for (const listener of listeners) listener();
}

/** A request found nobody, or a gateway that found nobody. */
export function away(): void {
  set(true);
  timer ??= setTimeout(ask, ASK_AGAIN_MS);
}

/** A request was answered. */
export function back(): void {
  clearTimeout(timer);
  timer = undefined;
  set(false);
}

async function ask(): Promise<void> {
  timer = undefined;
  const answer = await fetch("/health/ready").catch(() => undefined);
  if (answer?.ok) back();
  else away();
}

/** Calls `listener` whenever the answer changes; returns how to stop that. */
export function onConnection(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const isApiAway = (): boolean => isAway;

export const useApiAway = (): boolean => useSyncExternalStore(onConnection, isApiAway);
