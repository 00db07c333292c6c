/** What `make bench` measured (tests/bench/report.py), for the proof of speed. */
import { z } from "zod";
import { Machine, newest } from "./newest.ts";

/** The median of fewer is the mean of two, or no median at all. */
const FEWEST_ROUNDS = 3;

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

/** When, on what, and of how much. */
export type Measured = Omit<z.infer<typeof Results>, "measurements">;

/** Medians; times in milliseconds. Each measurement is of its own run. */
export interface Bench {
  flood: Measured & {
    perSecond: Compared;
    /** Whether Kotodom is: the page says no more than its figures. */
    quickest: boolean;
    acknowledged: Compared;
    cpu: Compared;
  };
  quiet: Measured & { p50: number; p99: number } & Omit<Compared, "kotodom">;
  replay: Measured & { kotodom: number; aiogram: number };
}

/** The newest of each measurement: a run may be of one alone. */
export function bench(folder: string): Bench {
  return {
    flood: measurement(folder, "flood", flood),
    quiet: measurement(folder, "quiet", ({ median }) => ({
      p50: median("added, p50", "ms"),
      p99: median("added, p99", "ms"),
      aiogram: median("added by aiogram, p50", "ms"),
      aiogramAiohttp: median("added by aiogram, aiohttp, p50", "ms"),
    })),
    replay: measurement(folder, "replay", ({ median }) => ({
      kotodom: median("Kotodom, from JSON", "updates/s"),
      aiogram: median("aiogram, from JSON", "updates/s"),
    })),
  };
}

interface Figures {
  median: (what: string, unit: string) => number;
  lines: z.infer<typeof Measurement>["lines"];
}

function measurement<T>(folder: string, kind: string, told: (figures: Figures) => T): Measured & T {
  const take = ({ measurements, ...measured }: z.infer<typeof Results>) => {
    if (measured.sizes.rounds < FEWEST_ROUNDS) return null;
    const found = measurements.find(({ name }) => name.startsWith(`${kind},`));
    if (!found) return null;
    const { name, lines } = found;
    const median = (what: string, unit: string) => {
      const line = lines.find((one) => one.what === what && one.unit === unit);
      if (!line) throw new Error(`"${name}" has no line "${what}" in ${unit}`);
      return line.median;
    };
    return { ...measured, ...told({ median, lines }) };
  };
  return newest(
    folder,
    Results,
    take,
    `no run of ${FEWEST_ROUNDS} rounds has a ${kind}: make bench`,
  );
}

function flood({ median, lines }: Figures) {
  const compared = (prefix: string, unit: string): Compared => ({
    kotodom: median(`${prefix}Kotodom`, unit),
    aiogram: median(`${prefix}aiogram`, unit),
    aiogramAiohttp: median(`${prefix}aiogram, aiohttp`, unit),
  });
  const cpu = (part: string) => median(`CPU of ${part}`, "ms/message");
  const others = lines.filter(({ what }) => /^CPU of (worker-\d+|poller|valkey)$/.test(what));
  const perSecond = compared("", "messages/s");
  const { kotodom, ...rivals } = perSecond;
  return {
    perSecond,
    quickest: Object.values(rivals).every((rival) => rival < kotodom),
    acknowledged: compared("acknowledged, p99, ", "ms"),
    cpu: {
      kotodom: others.reduce(
        (sum, line) => sum + line.median,
        cpu("api") + cpu("worker") + cpu("postgres"),
      ),
      aiogram: cpu("aiogram"),
      aiogramAiohttp: cpu("aiogram, aiohttp"),
    },
  };
}
