/**
 * How long an answer is waited for. A read without one is asked again; a write without one may have
 * been done all the same: it is never sent again by itself, and the person reads where to look.
 */
import i18next from "i18next";

import { Problem } from "./problem";

const READ_MS = 30_000;
/** What waits for Telegram has five seconds at the API, what waits for PostgreSQL thirty. */
const WRITE_MS = 60_000;

/** Where to see what became of a write; of these none changes anything: null. The first one holds. */
const PLACES = [
  ["/api/auth/password", "account"],
  ["/api/auth", null],
  ["/api/bots/check-token", null],
  ["/api/bots", "bots"],
  ["/api/chats", "chats"],
  ["/api/processing", "messages"],
  ["/api/jobs", "jobs"],
  ["/api/settings", "settings"],
  ["/api/users", "users"],
  ["/api/api-keys", "apiKeys"],
] as const;

/** A write without an answer: it may have been done. */
export class Unanswered extends Problem {}

export function patiently(request: Request): Promise<Response> {
  const limit = AbortSignal.timeout(request.method === "GET" ? READ_MS : WRITE_MS);
  return fetch(request, { signal: AbortSignal.any([request.signal, limit]) });
}

/** What to say where nothing has answered. */
export function unanswered({ method, url }: { method: string; url: string }): Problem {
  const { pathname } = new URL(url);
  const [, place] = PLACES.find(([prefix]) => pathname.startsWith(prefix)) ?? [];
  if (method === "GET" || !place) return Problem.away();
  return new Unanswered(0, `${i18next.t("unanswered.may")} ${i18next.t(`unanswered.${place}`)}`);
}
