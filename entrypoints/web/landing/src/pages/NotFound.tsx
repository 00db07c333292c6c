/** `/404.html`: one page for every language, for whoever comes to an address that is not there. */
import { home, type Language } from "../language";
import type { Site } from "../site";
import type { Texts } from "../texts/texts";
import { Frame } from "./Frame";

export function NotFound({ site, others }: { site: Site; others: [Language, Texts][] }) {
  const { language, texts } = site;
  return (
    <Frame
      site={site}
      path={null}
      title={`404 · Kotodom GPT`}
      description={texts.notFound.title}
      className="missing"
    >
      <section className="step hero">
        <h1>{texts.notFound.title}</h1>
        <Words language={language} texts={texts} />
      </section>
      {others.map(([other, words]) => (
        <section key={other} className="step last" lang={other}>
          <h2>{words.notFound.title}</h2>
          <Words language={other} texts={words} />
        </section>
      ))}
    </Frame>
  );
}

function Words({ language, texts: { notFound } }: { language: Language; texts: Texts }) {
  return (
    <>
      <p>{notFound.text}</p>
      <p>
        <a href={home(language)}>{notFound.home}</a>
      </p>
    </>
  );
}
