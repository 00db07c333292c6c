/** What `make bench` measured (tests/bench/report.py), for the proof of speed. */
import { z } from "zod";
import { Machine, newest } from "./newest.ts";

const Measurement = z.object({
  name: z.string(),
  lines: z.array(z.object({ what: z.string(), median: z.number(), unit: z.string() })),
});
const Results = z.object({
  at: z.iso.datetime(),
  machine: Machine,
  sizes: z.object({ rounds: z.number(), chats: z.number(), each: z.number(), quiet: z.number() }),
  measurements: z.array(Measurement),
});

/** The same of Kotodom, of an aiogram bot, and of one with aiohttp under the SDK. */
export interface Compared {
  kotodom: number;
  aiogram: number;
  aiogramAiohttp: number;
}

/** Medians; times in milliseconds. */
export interface Bench {
  at: string;
  machine: Machine;
  sizes: z.infer<typeof Results>["sizes"];
  perSecond: Compared;
  acknowledged: Compared;
  quietP50: number;
  quietP99: number;
  replayed: { kotodom: number; aiogram: number };
}

/** The newest run that measured a flood, the quiet and replay: single measurements are kept too. */
export function bench(folder: string): Bench {
  const missing = "no run there has flood, quiet and replay together: make bench";
  return newest(folder, Results, told, missing);
}

function told({ at, machine, sizes, measurements }: z.infer<typeof Results>): Bench | null {
  const flood = measurements.find(({ name }) => name.startsWith("flood,"));
  const quiet = measurements.find(({ name }) => name.startsWith("quiet,"));
  const replay = measurements.find(({ name }) => name.startsWith("replay,"));
  if (!flood || !quiet || !replay) return null;
  const median = ({ name, lines }: z.infer<typeof Measurement>, what: string, unit: string) => {
    const line = lines.find((one) => one.what === what && one.unit === unit);
    if (!line) throw new Error(`"${name}" has no line "${what}" in ${unit}`);
    return line.median;
  };
  const compared = (prefix: string, unit: string): Compared => ({
    kotodom: median(flood, `${prefix}Kotodom`, unit),
    aiogram: median(flood, `${prefix}aiogram`, unit),
    aiogramAiohttp: median(flood, `${prefix}aiogram, aiohttp`, unit),
  });
  return {
    at,
    machine,
    sizes,
    perSecond: compared("", "messages/s"),
    acknowledged: compared("acknowledged, p99, ", "ms"),
    quietP50: median(quiet, "added, p50", "ms"),
    quietP99: median(quiet, "added, p99", "ms"),
    replayed: {
      kotodom: median(replay, "Kotodom, from JSON", "updates/s"),
      aiogram: median(replay, "aiogram, from JSON", "updates/s"),
    },
  };
}
