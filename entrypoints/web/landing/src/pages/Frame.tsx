/** What all pages have: the head, the way to the other pages, the foot. */
import type { ReactNode } from "react";
import { documentPath, home, LANGUAGES, type Language, ORIGIN, REPOSITORY } from "../language";
import { onlyAt } from "../only";
import type { Site } from "../site";

/** In the head of a page that knows its address. */
const PUBLIC = onlyAt("public");

/** Where the build has put what the pages need. */
export interface Assets {
  style: string;
  script: string;
  /** By language and file: en/overview-wide.png. */
  pictures: Record<string, Picture>;
}

export interface Picture {
  url: string;
  width: number;
  height: number;
}

interface Props {
  site: Site;
  /** The page in a language; null where it is in no language's list: the 404 page. */
  path: ((language: Language) => string) | null;
  title: string;
  description: string;
  className: string;
  children: ReactNode;
}

export function Frame({ site, path, title, description, className, children }: Props) {
  const { language, texts, assets } = site;
  const social = assets.pictures[`${language}/social.png`]!;
  const here = path?.(language);
  const other = language === "en" ? "ru" : "en";
  return (
    <html lang={language}>
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="theme-color" content="#ffffff" media="(prefers-color-scheme: light)" />
        <meta name="theme-color" content="#1f1f22" media="(prefers-color-scheme: dark)" />
        <title>{title}</title>
        <meta name="description" content={description} />
        {path === null ? (
          <meta name="robots" content="noindex" />
        ) : (
          <>
            <link {...PUBLIC} rel="canonical" href={`${ORIGIN}${here}`} />
            {LANGUAGES.map((one) => {
              const href = `${ORIGIN}${path(one)}`;
              return <link key={one} {...PUBLIC} rel="alternate" hrefLang={one} href={href} />;
            })}
            <link
              {...PUBLIC}
              rel="alternate"
              hrefLang="x-default"
              href={`${ORIGIN}${path("en")}`}
            />
            <meta {...PUBLIC} property="og:url" content={`${ORIGIN}${here}`} />
          </>
        )}
        <meta property="og:type" content="website" />
        <meta property="og:site_name" content="Kotodom GPT" />
        <meta property="og:title" content={title} />
        <meta property="og:description" content={description} />
        <meta {...PUBLIC} property="og:image" content={`${ORIGIN}${social.url}`} />
        <meta {...PUBLIC} property="og:image:width" content={String(social.width)} />
        <meta {...PUBLIC} property="og:image:height" content={String(social.height)} />
        <meta {...PUBLIC} property="og:image:alt" content={texts.site.picture} />
        <meta property="og:locale" content={language === "en" ? "en_US" : "ru_RU"} />
        <meta name="twitter:card" content="summary_large_image" />
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <link rel="icon" href="/icon.png" type="image/png" sizes="180x180" />
        <link rel="apple-touch-icon" href="/icon.png" />
        <link rel="stylesheet" href={assets.style} />
        <script type="module" src={assets.script} />
      </head>
      <body className={className}>
        <a className="skip" href="#text">
          {texts.skip}
        </a>
        <header className="top">
          <a className="brand" href={home(language)}>
            <Mark />
            Kotodom GPT
          </a>
          <nav aria-label={texts.nav.label}>
            <a href={documentPath(language)}>{texts.nav.documents}</a>
            <only-where where="sandbox">
              <a href="/sandbox/">{texts.nav.sandbox}</a>
            </only-where>
            <only-where where="running">
              <a href="/admin/">{texts.nav.signIn}</a>
            </only-where>
            {path && (
              <a href={path(other)} hrefLang={other} lang={other}>
                {texts.otherLanguage}
              </a>
            )}
          </nav>
        </header>
        <main id="text" tabIndex={-1}>
          {children}
        </main>
        <footer className="foot">
          <p>
            Kotodom GPT · {texts.footer.license}
            <only-where where="running">
              {" · "}
              <a href="/schema">{texts.nav.api}</a>
            </only-where>
            <only-where where="repository">
              {" · "}
              <a href={REPOSITORY}>{texts.footer.source}</a>
            </only-where>
          </p>
          <p>{texts.footer.note}</p>
        </footer>
      </body>
    </html>
  );
}

/** The cat of the admin. */
function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <path d="M6 5l5 4h10l5-4v14a10 8 0 0 1-20 0z" />
      <circle cx="12" cy="17" r="2" />
      <circle cx="20" cy="17" r="2" />
    </svg>
  );
}
