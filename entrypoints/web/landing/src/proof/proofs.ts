/** Everything on the page that was measured or captured, from the repository's own files. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bench, bench } from "./bench";
import { type Chaos, chaos } from "./chaos";

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
    replay: readFileSync(join(repository, "entrypoints/web/screenshots/replay.txt"), "utf8"),
  };
}
