/** `/docs/`: every document with its sentence. */
import { documentPath } from "../language";
import type { Site } from "../site";
import { Frame } from "./Frame";
import { SearchField } from "./SearchField";

export function DocumentList({ site }: { site: Site }) {
  const { texts } = site;
  return (
    <Frame
      site={site}
      path={documentPath}
      title={`${texts.documents.title} · Kotodom GPT`}
      description={texts.documents.description}
      className="documents"
    >
      <section className="step hero">
        <h1>{texts.documents.title}</h1>
        <p className="lead">{texts.documents.description}</p>
        <SearchField site={site} />
      </section>
      <section className="step last">
        <h2>{texts.documents.all}</h2>
        <DocumentLinks site={site} />
      </section>
    </Frame>
  );
}

export function DocumentLinks({ site: { language, documents } }: { site: Site }) {
  return (
    <ul className="cards">
      {documents.map(({ name, title, description }) => (
        <li key={name}>
          <a href={documentPath(language, name)}>{title}</a>
          <p>{description}</p>
        </li>
      ))}
    </ul>
  );
}
