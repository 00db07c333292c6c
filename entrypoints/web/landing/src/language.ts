/** The languages of the site, and where each page of them is. */

export const LANGUAGES = ["en", "ru"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Stands for the origin in what is built; entrypoints/http/landing_site.py puts the real one in. */
export const ORIGIN = "https://origin.invalid";
/** The same for the address to clone from. */
export const REPOSITORY = "https://repository.invalid";

export function home(language: Language): string {
  return language === "en" ? "/" : `/${language}/`;
}

/** The list of documents, or one of them. */
export function documentPath(language: Language, name?: string): string {
  return `${home(language)}docs/${name === undefined ? "" : `${name}/`}`;
}

export function searchIndexPath(language: Language): string {
  return `${home(language)}docs/search.json`;
}
