/**
 * A message's steps in words: what happened in each, and what it led to.
 *
 * Steps are what the journal holds: an event and the effects that followed (domain/events.py,
 * effects.py). A tag that this page does not know is told by its name.
 */
import type { Schemas } from "../../../api/client";
import { said } from "../../../i18n/said";

type Step = Schemas["TimelineStep"];
type Json = { [key: string]: unknown };

/** A text's key in messages.json under "story", and its values. */
export type Sentence = { key: SentenceKey; values: Record<string, string | number> };

export type Told = {
  /** Its place among the steps. */
  step: number;
  at: string;
  mood: "good" | "bad" | "waiting" | "plain";
  what: Sentence;
  /** Why it did not succeed. */
  reason: string | undefined;
  led: Sentence[];
};

/** domain/failures.py, MAX_ATTEMPTS. */
const MAX_ATTEMPTS = 6;

const KEYS = {
  "telegram.updateReceived": "received",
  "chat.operatorWrote": "operatorWrote",
  "chat.refreshAsked": "refreshAsked",
  "processing.retryAsked": "retryAsked",
  "turn.resumed": "resumed",
  "turn.broke": "broke",
  "job.deleted": "jobDeleted",
  "openai.replyStarted": "started",
  "openai.replyGenerated": "generated",
  "openai.replyFailed": "replyFailed",
  "telegram.messageSent": "sent",
  "telegram.messageFailed": "sendFailed",
} as const;

export type SentenceKey =
  | (typeof KEYS)[keyof typeof KEYS]
  | "workerDied"
  | "maybeSent"
  | "asking"
  | "resuming"
  | "sending"
  | "waits"
  | "forgets"
  | "alert"
  | "other";

const isTag = (tag: string): tag is keyof typeof KEYS => tag in KEYS;
const object = (value: unknown): Json =>
  typeof value === "object" && value !== null ? (value as Json) : {};
const text = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;
const number = (value: unknown): number | undefined =>
  typeof value === "number" ? value : undefined;

export function story(steps: readonly Step[]): Told[] {
  let parts = 1;
  return steps.map(({ at, event, effects, attempt }, step) => {
    const tag = text(event.type) ?? "";
    const failure = object(event.failure);
    const reply = object(event.reply);
    const answered = event.parts ?? reply.parts;
    if (Array.isArray(answered)) parts = answered.length;
    const part = (number(event.part) ?? 0) + 1;
    const reason = text(failure.reason) ?? text(event.error);
    const told: Told = {
      step,
      at,
      mood: mood(tag, failure),
      what: {
        key: isTag(tag) ? KEYS[tag] : "other",
        values: {
          tag,
          part,
          parts,
          input: number(reply.input_tokens) ?? 0,
          output: number(reply.output_tokens) ?? 0,
        },
      },
      reason: reason && said(reason),
      led: effects.flatMap((effect) => wish(effect, attempt, parts)),
    };
    if (tag === "turn.resumed" && event.died === true) told.what.key = "workerDied";
    if (failure.type === "ambiguous") told.what.key = "maybeSent";
    return told;
  });
}

function mood(tag: string, failure: Json): Told["mood"] {
  if (tag === "openai.replyGenerated" || tag === "telegram.messageSent") return "good";
  if (failure.type === "retryable" || tag === "turn.resumed") return "waiting";
  if (tag.endsWith("Failed") || tag === "turn.broke" || tag === "job.deleted") return "bad";
  return "plain";
}

function wish(effect: Json, attempt: number, parts: number): Sentence[] {
  const values = { attempt, most: MAX_ATTEMPTS, parts, part: (number(effect.part) ?? 0) + 1 };
  switch (effect.type) {
    case "openai.generateReply":
      return [{ key: "asking", values }];
    case "openai.resumeReply":
      return [{ key: "resuming", values }];
    case "openai.resetThread":
      return [{ key: "forgets", values }];
    case "telegram.sendMessage":
      return [{ key: "sending", values }];
    case "notification.adminAlert":
      return [{ key: "alert", values }];
    case "jobs.publish": {
      const seconds = number(effect.delay);
      return seconds === undefined ? [] : [{ key: "waits", values: { ...values, seconds } }];
    }
    default:
      return [];
  }
}
