/** English and Russian: the browser's language, or the one chosen in My account. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { learn } from "./said";

export const LANGUAGES = { en: "English", ru: "Русский" } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = "kotodom.language";

/** A page's words each; `said`: the API's, where its English is not what is spoken. */
type Texts = { default: object; said?: Record<string, string> };

const texts = {
  en: () => import("./en"),
  ru: () => import("./ru"),
} satisfies Record<Language, () => Promise<Texts>>;

function isLanguage(name: string | null | undefined): name is Language {
  return name != null && name in LANGUAGES;
}

/** Undefined too where the browser keeps nothing for us: then it throws. */
function remembered(): string | null | undefined {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return undefined;
  }
}

/** For the next time; where the browser keeps nothing, or nothing more, for this time alone. */
function remember(language: Language): void {
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // It is spoken all the same.
  }
}

function wished(): Language {
  const kept = remembered();
  if (isLanguage(kept)) return kept;
  return navigator.languages.map((each) => each.slice(0, 2)).find(isLanguage) ?? "en";
}

/** Show everything in a language; it is fetched where it is not here yet. */
export async function speak(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, "common")) {
    const { default: namespaces, said }: Texts = await texts[language]();
    for (const [namespace, words] of Object.entries(namespaces)) {
      i18next.addResourceBundle(language, namespace, words);
    }
    if (said) learn(language, said);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

/** Speak it from now on. Rejects where it could not be fetched: then all stays as it was. */
export async function choose(language: Language): Promise<void> {
  await speak(language);
  remember(language);
}

export async function start(): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: {},
    fallbackLng: false,
    defaultNS: "common",
    // React escapes what it shows.
    interpolation: { escapeValue: false },
  });
  await speak(wished());
}
