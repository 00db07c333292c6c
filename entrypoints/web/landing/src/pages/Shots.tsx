/** Pictures that `make screenshots` took of the real admin, light and dark. */
import type { Site } from "../site";
import type { Shot } from "../texts/texts";
import type { Assets } from "./Frame";

export function Shots({ site: { language, texts, assets } }: { site: Site }) {
  const shots: [string, Shot][] = [
    ["overview", texts.shots.overview],
    ["chats", texts.shots.chat],
    ["message", texts.shots.message],
  ];
  return (
    <section className="step">
      <h2>{texts.shots.title}</h2>
      <div className="shots">
        {shots.map(([name, shot]) => {
          const path = `${language}/${name}`;
          return <Figure key={name} {...{ assets, path, shot }} />;
        })}
      </div>
    </section>
  );
}

interface Props {
  assets: Assets;
  /** Of the pictures, without the look: en/overview. */
  path: string;
  shot: Shot;
}

/** A narrow window sees the admin in a narrow window. */
function Figure({ assets, path, shot }: Props) {
  const look = (how: string) => assets.pictures[`${path}-${how}.png`]!;
  const source = (how: string, media: string) => {
    const { url, width, height } = look(how);
    return <source media={media} srcSet={url} width={width} height={height} />;
  };
  const { url, width, height } = look("wide");
  return (
    <figure>
      <picture>
        {source("narrow-dark", "(max-width: 46rem) and (prefers-color-scheme: dark)")}
        {source("narrow", "(max-width: 46rem)")}
        {source("dark", "(prefers-color-scheme: dark)")}
        <img
          src={url}
          width={width}
          height={height}
          alt={shot.alt}
          loading="lazy"
          decoding="async"
        />
      </picture>
      <figcaption>
        {shot.caption}{" "}
        <a className="light" href={url}>
          {shot.open}
        </a>
        <a className="dark" href={look("dark").url}>
          {shot.open}
        </a>
      </figcaption>
    </figure>
  );
}
