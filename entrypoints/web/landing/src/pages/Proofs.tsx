/** What sets it apart, each with what `make chaos`, `make bench` and a terminal have shown. */
import type { ReactNode } from "react";
import type { Compared, Measured as Run } from "../proof/bench";
import type { FaultKind } from "../proof/chaos";
import { day, duration, measured, whole } from "../proof/numbers";
import type { Site } from "../site";
import { Bar } from "./Bar";
import { Terminal } from "./Code";

export function Proofs({ site }: { site: Site }) {
  const { texts } = site;
  const { speed } = texts.proofs;
  return (
    <>
      <section className="step">
        <h2>{texts.proofs.title}</h2>
      </section>
      <section className="step proof">
        <h3>{texts.proofs.lost.title}</h3>
        <NothingLost site={site} />
      </section>
      <section className="step proof">
        <h3>{texts.proofs.replay.title}</h3>
        <p>{texts.proofs.replay.text}</p>
        <Terminal>{site.proofs.replay}</Terminal>
        <p>{texts.proofs.replay.note}</p>
      </section>
      <section className="step proof">
        <h3>{speed[site.proofs.bench.flood.quickest ? "title" : "slower"]}</h3>
        <Speed site={site} />
      </section>
    </>
  );
}

function NothingLost({ site: { language, texts, proofs } }: { site: Site }) {
  const says = texts.proofs.lost;
  const { chaos } = proofs;
  const number = (value: number) => whole(value, language);
  const faults = Object.entries(chaos.faults) as [FaultKind, number][];
  const told = faults.filter(([, count]) => count > 0);
  const listed = told.map(([kind, count]) => says.faults[kind](count)).join(", ");
  const rows: [keyof typeof says.rows, string?][] = [
    ["messages"],
    ["answered"],
    ["lost", "zero"],
    ["out_of_order", "zero"],
    ["billed_twice", "zero"],
    ["left_waiting", "zero"],
    ["given_up"],
    ["parts_doubled"],
    ["asked_again"],
  ];
  return (
    <div className="columns">
      <div>
        <p>{says.text}</p>
        <p>{says.about(listed, chaos.seconds, chaos.chats)}</p>
        <p>{says.waits(duration(chaos.longest_wait * 1000, language))}</p>
      </div>
      <div className="beside">
        <table className="counts">
          <thead>
            <tr>
              <th scope="col">{says.count}</th>
              <th scope="col">{says.measured}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, className]) => (
              <tr key={name} className={chaos[name] === 0 ? className : undefined}>
                <td>{number(chaos[name])}</td>
                <th scope="row">{says.rows[name]}</th>
              </tr>
            ))}
          </tbody>
        </table>
        <Measured site={{ language, texts }} command="make chaos" run={chaos} />
      </div>
      <p>{says.note}</p>
    </div>
  );
}

function Speed({ site: { language, texts, proofs } }: { site: Site }) {
  const says = texts.proofs.speed;
  const { flood, quiet, replay } = proofs.bench;
  const { perSecond, acknowledged, cpu, sizes } = flood;
  const number = (value: number) => whole(value, language);
  const fastest = Math.max(...Object.values(perSecond));
  const names = ["kotodom", "aiogram", "aiogramAiohttp"] as const;
  const replayed: Partial<Compared> = { kotodom: replay.kotodom, aiogram: replay.aiogram };
  return (
    <>
      <p>{says.text(number(sizes.chats), number(sizes.each), number(sizes.rounds))}</p>
      <p>{says.unequal}</p>
      <table className="speed">
        <thead>
          <tr>
            <th scope="col">{says.contestant}</th>
            <th scope="col">{says.perSecond}</th>
            <th scope="col">{says.acknowledged}</th>
            <th scope="col">{says.cpu}</th>
            <th scope="col">{says.replayed}</th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name} className={name}>
              <th scope="row">{says.names[name]}</th>
              <td data-label={says.perSecond}>
                {measured(perSecond[name], language)}
                <Bar part={perSecond[name] / fastest} />
              </td>
              <td data-label={says.acknowledged}>{duration(acknowledged[name], language)}</td>
              <td data-label={says.cpu}>{duration(cpu[name], language)}</td>
              <td data-label={says.replayed}>
                {replayed[name] === undefined ? says.none : measured(replayed[name], language)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Measured site={{ language, texts }} command="make bench" run={flood} />
      {replay.at !== flood.at && (
        <Measured site={{ language, texts }} command="make bench" of={says.replayed} run={replay} />
      )}
      <p>
        {says.quiet(
          duration(quiet.p50, language),
          duration(quiet.p99, language),
          duration(quiet.aiogram, language),
          duration(quiet.aiogramAiohttp, language),
          number(quiet.sizes.quiet),
        )}
      </p>
      {quiet.at !== flood.at && (
        <Measured site={{ language, texts }} command="make bench" run={quiet} />
      )}
    </>
  );
}

interface MeasuredProps {
  site: Pick<Site, "language" | "texts">;
  command: string;
  /** What of it, where that is not all that stands above. */
  of?: string;
  run: Pick<Run, "at" | "machine">;
}

/** On what, when, and of which commit. */
function Measured({ site: { language, texts }, command, of, run }: MeasuredProps): ReactNode {
  const { cpu, cores, memory, system, python, postgres, commit } = run.machine;
  const words = [
    texts.proofs.cores(cores, cpu),
    `${measured(memory, language)} GiB`,
    system,
    `Python ${python}`,
    `PostgreSQL ${postgres}`,
    texts.proofs.commit(commit.replace("+", ""), commit.endsWith("+")),
  ].join(", ");
  return (
    <p className="measured">
      {of && `${of}: `}
      {texts.proofs.machine(<code>{command}</code>, day(run.at, language), words)}
    </p>
  );
}
