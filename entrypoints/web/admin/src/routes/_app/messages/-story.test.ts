import { expect, test } from "vitest";

import { story, type Told } from "./-story";

const AT = "2026-11-27T12:00:00Z";
const step = (event: object, ...effects: object[]) => nth(1, event, ...effects);
/** Of a try after the first, as the API counts them (application/processing.py). */
const nth = (attempt: number, event: object, ...effects: object[]) => ({
  at: AT,
  event: { ...event },
  effects: effects.map((effect) => ({ ...effect })),
  attempt,
});

const attempts = (told: Told[]) =>
  told.flatMap(({ led }) => led.map(({ key, values }) => [key, values.attempt]));

test("a message that was tried twice and answered in two parts", () => {
  const told = story([
    step(
      { type: "telegram.updateReceived" },
      { type: "telegram.sendChatAction" },
      { type: "openai.generateReply" },
    ),
    nth(
      2,
      { type: "openai.replyFailed", failure: { type: "retryable", reason: "OpenAI 503" } },
      { type: "jobs.publish", delay: 1.2 },
    ),
    nth(2, { type: "turn.resumed" }, { type: "openai.generateReply" }),
    nth(
      2,
      {
        type: "openai.replyGenerated",
        reply: { parts: [{}, {}], input_tokens: 7, output_tokens: 9 },
      },
      { type: "telegram.sendMessage" },
    ),
    nth(2, { type: "telegram.messageSent", part: 0 }, { type: "telegram.sendMessage", part: 1 }),
    nth(2, { type: "telegram.messageSent", part: 1 }),
  ]);
  expect(told.map(({ what }) => what.key)).toEqual([
    "received",
    "replyFailed",
    "resumed",
    "generated",
    "sent",
    "sent",
  ]);
  expect(attempts(told)).toEqual([
    ["asking", 1],
    ["waits", 2],
    ["asking", 2],
    ["sending", 2],
    ["sending", 2],
  ]);
  expect(told[1]).toMatchObject({ mood: "waiting", reason: "OpenAI 503" });
  expect(told[3]?.what.values).toMatchObject({ input: 7, output: 9 });
  expect(told[5]?.what.values).toMatchObject({ part: 2, parts: 2 });
});

test("waits that were told cost no attempt, and a person's retry begins anew", () => {
  const told = step(
    { type: "openai.replyFailed", failure: { type: "retryable", reason: "429", after: 3 } },
    { type: "jobs.publish", delay: 3 },
  );
  const again = step({ type: "turn.resumed" }, { type: "openai.generateReply" });
  const ended = nth(
    6,
    { type: "openai.replyFailed", failure: { type: "terminal", reason: "gave up" } },
    { type: "notification.adminAlert" },
  );
  const retried = step({ type: "processing.retryAsked" }, { type: "openai.generateReply" });
  expect(attempts(story([told, again, told, again, ended, retried]))).toEqual([
    ["waits", 1],
    ["asking", 1],
    ["waits", 1],
    ["asking", 1],
    ["alert", 6],
    ["asking", 1],
  ]);
});

test("a killed worker, a send nobody knows of, a bug and a later version's step", () => {
  const told = story([
    step({ type: "turn.resumed", died: true }),
    step({ type: "telegram.messageFailed", failure: { type: "ambiguous", reason: "timeout" } }),
    step({ type: "turn.broke", error: "KeyError" }),
    step({ type: "moon.landed" }),
  ]);
  expect(told.map(({ what, mood, reason }) => [what.key, mood, reason])).toEqual([
    ["workerDied", "waiting", undefined],
    ["maybeSent", "bad", "timeout"],
    ["broke", "bad", "KeyError"],
    ["other", "plain", undefined],
  ]);
});
