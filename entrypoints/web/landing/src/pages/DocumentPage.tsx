/** `/docs/NAME/`: one document, with the others beside it. */
import type { Document } from "../documents/documents";
import { documentPath } from "../language";
import type { Site } from "../site";
import { Frame } from "./Frame";
import { SearchField } from "./SearchField";

export function DocumentPage({ site, document }: { site: Site; document: Document }) {
  const { language, texts, documents } = site;
  const says = texts.documents;
  const { name, title, description, html, headings } = document;
  const place = documents.indexOf(document);
  const previous = documents[place - 1];
  const next = documents[place + 1];
  return (
    <Frame
      site={site}
      path={(one) => documentPath(one, name)}
      title={`${title} · Kotodom GPT`}
      description={description}
      className="document"
    >
      <div className="aside">
        <SearchField site={site} />
        <nav className="others" aria-label={says.others}>
          <p>
            <a href={documentPath(language)}>{says.all}</a>
          </p>
          <ul>
            {documents.map((one) => (
              <li key={one.name}>
                <a
                  href={documentPath(language, one.name)}
                  aria-current={one === document ? "page" : undefined}
                >
                  {one.title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      </div>
      <article>
        <h1>{title}</h1>
        <p className="lead">{description}</p>
        <Contents title={says.onThisPage} headings={headings} />
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: our own Markdown, which may hold no HTML */}
        <div className="prose" dangerouslySetInnerHTML={{ __html: html }} />
        <nav className="neighbours" aria-label={`${says.previous}, ${says.next}`}>
          {previous && (
            <a href={documentPath(language, previous.name)} rel="prev">
              <small>{says.previous}</small>
              {previous.title}
            </a>
          )}
          {next && (
            <a href={documentPath(language, next.name)} rel="next">
              <small>{says.next}</small>
              {next.title}
            </a>
          )}
        </nav>
      </article>
    </Frame>
  );
}

function Contents({ title, headings }: { title: string; headings: Document["headings"] }) {
  const shown = headings.filter(({ level }) => level === 2);
  if (shown.length < 2) return null;
  return (
    <nav className="contents" aria-label={title}>
      <ul>
        {shown.map(({ anchor, title }) => (
          <li key={anchor}>
            <a href={`#${encodeURIComponent(anchor)}`}>{title}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
