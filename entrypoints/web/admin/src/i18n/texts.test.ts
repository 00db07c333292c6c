import { expect, test } from "vitest";

import en from "./en";
import ru from "./ru";

type Texts = { [key: string]: string | Texts };

const PLURAL = /_(zero|one|two|few|many|other)$/;

/** Each text's place and the values it wants, plural forms as one. */
function places(texts: Texts, prefix = ""): Map<string, string> {
  return new Map(
    Object.entries(texts).flatMap(([key, value]) => {
      const place = `${prefix}${key}`.replace(PLURAL, "");
      if (typeof value !== "string") return [...places(value, `${place}.`)];
      return [[place, (value.match(/{{\w+}}/g) ?? []).sort().join()] as const];
    }),
  );
}

test("Russian says all that English says, with the same values", () => {
  expect(Object.fromEntries(places(ru))).toEqual(Object.fromEntries(places(en)));
});

test("Russian has every plural form", () => {
  const forms = new Intl.PluralRules("ru").resolvedOptions().pluralCategories;
  const keys = (texts: Texts): string[] =>
    Object.entries(texts).flatMap(([key, value]) =>
      typeof value === "string" ? key : keys(value),
    );
  const plural = new Set(keys(ru).filter((key) => PLURAL.test(key)));
  for (const key of plural) {
    for (const form of forms) expect(plural).toContain(key.replace(PLURAL, `_${form}`));
  }
});
