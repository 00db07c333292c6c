import i18next from "i18next";
import { beforeAll, expect, test } from "vitest";

import { said as russian } from "./ru";
import { learn, said, translation } from "./said";

const told = translation({
  "There is a user with the e-mail {} already.": "Пользователь с почтой {} уже есть.",
  "{} of {} (more)": "из {1} – {0} (ещё)",
  "gave up: {}": "сдались: {}",
  "gave up: told to wait: {}": "сдались, велели ждать: {}",
  "no answer in {} s": "нет ответа за {} с",
  "bot disabled": "бот выключен",
});

test("what varies keeps its place", () => {
  expect(told("There is a user with the e-mail a.b+c@x.org already.")).toBe(
    "Пользователь с почтой a.b+c@x.org уже есть.",
  );
});

test("what varies can be in another order", () => {
  expect(told("3 of 14 (more)")).toBe("из 14 – 3 (ещё)");
});

test("a sentence within a sentence is translated as well, the closest template first", () => {
  expect(told("gave up: bot disabled")).toBe("сдались: бот выключен");
  expect(told("gave up: told to wait: no answer in 60 s")).toBe(
    "сдались, велели ждать: нет ответа за 60 с",
  );
});

test("what nobody has translated stays, whatever it holds", () => {
  for (const text of ["", "constructor", "Overloaded: {0} $1", "bot disabled.", "gave up: "]) {
    expect(told(text)).toBe(text);
  }
  expect(told("gave up: $& {1}\nof two lines")).toBe("сдались: $& {1}\nof two lines");
});

test("every translation uses only what its sentence has", () => {
  for (const [key, text] of Object.entries(russian)) {
    const count = key.split("{}").length - 1;
    const places = [...text.matchAll(/\{(\d?)\}/g)].map(([, place], at) => Number(place || at));
    expect(Math.max(-1, ...places), key).toBeLessThan(count || 1);
    expect(places.length > 0, key).toBe(count > 0);
  }
});

beforeAll(async () => {
  await i18next.init({ resources: {}, fallbackLng: false, lng: "en" });
  learn("ru", russian);
});

test("it speaks the language that is on", async () => {
  expect(said("gave up: Telegram 502: Bad Gateway")).toBe("gave up: Telegram 502: Bad Gateway");
  await i18next.changeLanguage("ru");
  expect(said("gave up: Telegram 502: Bad Gateway")).toBe(
    "попытки прекращены: Telegram 502: Bad Gateway",
  );
  expect(said("Your role, USER, may not see users.")).toBe(
    "Ваша роль, пользователь, не позволяет смотреть пользователей.",
  );
  // A fingerprint has # for what varies (domain/alerts.py).
  expect(said("gave up: OpenAI: no answer in # s")).toBe(
    "попытки прекращены: OpenAI: нет ответа за # с",
  );
});
