/**
 * What an operator has begun to write in a chat. It outlives the conversation's page and a reload of
 * all, and is shown to nobody else who signs in here.
 */
import { useSyncExternalStore } from "react";

import { useMe } from "../../../api/me";

const PREFIX = "kotodom.draft ";

/** Where the browser keeps nothing, or is full, they live as long as the page. */
const drafts = new Map<string, string>();

function read(key: string): string {
  const known = drafts.get(key);
  if (known !== undefined) return known;
  try {
    return sessionStorage.getItem(PREFIX + key) ?? "";
  } catch {
    return "";
  }
}

function write(key: string, text: string): void {
  drafts.set(key, text);
  try {
    if (text === "") sessionStorage.removeItem(PREFIX + key);
    else sessionStorage.setItem(PREFIX + key, text);
  } catch {
    // As said above.
  }
}

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

type Draft = {
  text: string;
  change: (text: string) => void;
  /** Whoever shows the draft by now: it is gone, unless it has become another one. */
  sent: (text: string) => void;
};

export function useDraft(chatId: string): Draft {
  const key = `${useMe().id} ${chatId}`;
  const text = useSyncExternalStore(subscribe, () => read(key));
  const change = (text: string): void => {
    write(key, text);
    for (const listener of listeners) listener();
  };
  return {
    text,
    change,
    sent: (text) => {
      if (read(key) === text) change("");
    },
  };
}
