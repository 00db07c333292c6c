/** `/`: what it is, the commands, what it looks like, the proofs, the others, questions. */
import { home, REPOSITORY } from "../language";
import type { Site } from "../site";
import { Code } from "./Code";
import { DocumentLinks } from "./DocumentList";
import { Frame } from "./Frame";
import { Proofs } from "./Proofs";
import { Rivals } from "./Rivals";
import { Shots } from "./Shots";

export function Landing({ site }: { site: Site }) {
  const { language, texts, documents } = site;
  const goingLive = documents.find(({ name }) => name === "going-live");
  return (
    <Frame
      site={site}
      path={home}
      title={texts.site.title}
      description={texts.site.description}
      className="landing"
    >
      <section className="step hero">
        <div className="sentence">
          <h1>{texts.hero.sentence}</h1>
          <p className="lead">{texts.hero.lead}</p>
        </div>
        <div className="commands">
          <only-where where="repository">
            <Code texts={texts}>{`git clone ${REPOSITORY} kotodom && cd kotodom`}</Code>
          </only-where>
          <p>{texts.hero.where}</p>
          <Code texts={texts}>make run</Code>
          <p>{texts.hero.run}</p>
          <Code texts={texts}>make test</Code>
          <p>{texts.hero.test}</p>
          <p>{texts.hero.sandbox}</p>
        </div>
      </section>

      <Shots site={site} />

      <section className="step">
        <h2>{texts.steps.title}</h2>
        <ol className="steps">
          {texts.steps.steps.map(({ title, text }) => (
            <li key={title}>
              <h3>{title}</h3>
              <p>{text}</p>
            </li>
          ))}
        </ol>
        {goingLive && (
          <p>
            <a href={`${home(language)}docs/${goingLive.name}/`}>{texts.steps.more}</a>
          </p>
        )}
      </section>

      <Proofs site={site} />
      <Rivals texts={texts} />

      <section className="step">
        <h2>{texts.questions.title}</h2>
        <dl className="questions">
          {texts.questions.questions.map(({ question, answer }) => (
            <div key={question}>
              <dt>{question}</dt>
              <dd>{answer}</dd>
            </div>
          ))}
        </dl>
      </section>

      <section className="step last">
        <h2>{texts.documents.title}</h2>
        <DocumentLinks site={site} />
      </section>
    </Frame>
  );
}
