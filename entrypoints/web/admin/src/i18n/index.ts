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
  // With the names of months and days for @mantine/dates; English ones dayjs has itself.
  ru: async () => (await Promise.all([import("./ru"), import("dayjs/locale/ru")]))[0],
} satisfies Record<Language, () => Promise<Texts>>;

function isLanguage(name: string | null | undefined): name is Language {
  return name != null && name in LANGUAGES;
}

function wished(): Language {
  const kept = localStorage.getItem(KEPT);
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

export async function choose(language: Language): Promise<void> {
  localStorage.setItem(KEPT, language);
  await speak(language);
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
