/** What `make chaos` counted (tests/chaos/kept.py), for the proof that nothing is lost. */
import { z } from "zod";
import { Machine, newest } from "./newest.ts";

/** A fault is a part's or a road's name and, last, one of these. */
const KINDS = {
  KILL: "killed",
  QUIT: "killed",
  TERM: "ended",
  STOP: "frozen",
  cut: "cutOff",
  refuse: "cutOff",
  blackhole: "cutOff",
} as const;
export type FaultKind = (typeof KINDS)[keyof typeof KINDS];

/** Seconds; `make chaos` keeps no shorter run. */
const SHORTEST = 300;

const Run = z.object({
  at: z.iso.datetime(),
  seconds: z.number(),
  chats: z.number(),
  machine: Machine,
  faults: z.record(z.string(), z.number()),
  messages: z.number(),
  answered: z.number(),
  terminal: z.record(z.string(), z.number()),
  lost: z.number(),
  parts_doubled: z.number(),
  out_of_order: z.number(),
  billed_twice: z.number(),
  left_waiting: z.number(),
  asked_again: z.number(),
  violations: z.record(z.string(), z.number()),
  recovered_after_faults: z.number(),
  longest_wait: z.number(),
});

export interface Chaos extends Omit<z.infer<typeof Run>, "faults" | "terminal" | "violations"> {
  faults: Record<FaultKind, number>;
  given_up: number;
}

export function chaos(folder: string): Chaos {
  return newest(folder, Run, told, "no run is kept there: make chaos SECONDS=300");
}

function told({ faults, terminal, violations, ...run }: z.infer<typeof Run>): Chaos {
  const { lost, out_of_order, billed_twice, left_waiting } = run;
  const promised = { lost, out_of_order, billed_twice, left_waiting };
  const broken = Object.entries(promised).filter(([, count]) => count !== 0);
  const kinds = new Set([...Object.entries(violations), ...broken].map(([kind]) => kind));
  if (kinds.size > 0) {
    const why = [...kinds].join(", ");
    throw new Error(`the run broke promises (${why}): the page cannot say that nothing is lost`);
  }
  if (run.messages === 0 || run.answered === 0) throw new Error("nothing was written or answered");
  if (Object.keys(faults).length === 0) throw new Error("nothing was broken in that run");
  if (run.seconds < SHORTEST) throw new Error(`the run was shorter than ${SHORTEST} seconds`);
  const counted = { killed: 0, ended: 0, frozen: 0, cutOff: 0 };
  for (const [name, count] of Object.entries(faults)) counted[kind(name)] += count;
  const given_up = Object.values(terminal).reduce((sum, count) => sum + count, 0);
  return { ...run, faults: counted, given_up };
}

function kind(name: string): FaultKind {
  const last = name.split(" ").at(-1) ?? "";
  if (!(last in KINDS)) throw new Error(`an unknown fault: ${name}`);
  return KINDS[last as keyof typeof KINDS];
}
