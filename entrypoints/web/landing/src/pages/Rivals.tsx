/** The others, and what each is best at. */
import type { Texts } from "../texts/texts";

export function Rivals({ texts }: { texts: Texts }) {
  const says = texts.rivals;
  return (
    <section className="step">
      <h2>{says.title}</h2>
      <p>{says.text}</p>
      <div className="rivals">
        {says.rivals.map(({ name, url, best, has, ours }) => (
          <article key={name}>
            <h3>
              <a href={url} rel="noreferrer">
                {name}
              </a>
            </h3>
            <dl>
              <div>
                <dt>{says.best}</dt>
                <dd>{best}</dd>
              </div>
              <div>
                <dt>{says.has}</dt>
                <dd>{has}</dd>
              </div>
              <div className="ours">
                <dt>{says.ours}</dt>
                <dd>{ours}</dd>
              </div>
            </dl>
          </article>
        ))}
      </div>
      <p>{says.lacks}</p>
    </section>
  );
}
