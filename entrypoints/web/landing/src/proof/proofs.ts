/** Everything on the page that was measured or captured, from the repository's own files. */
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type Bench, bench } from "./bench.ts";
import { type Chaos, chaos } from "./chaos.ts";

export interface Proofs {
  bench: Bench;
  chaos: Chaos;
  /** What a terminal showed: `make screenshots` keeps it. */
  replay: string;
}

export function proofs(repository: string): Proofs {
  return {
    bench: bench(join(repository, "tests/bench/results")),
    chaos: chaos(join(repository, "tests/chaos/results")),
    replay: captured(join(repository, "entrypoints/web/screenshots/replay.txt")),
  };
}

function captured(path: string): string {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (text.trim() === "")
    throw new Error(`${relative(process.cwd(), path)}: nothing there: make screenshots`);
  return text;
}
