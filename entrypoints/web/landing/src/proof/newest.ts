/** Files of measurements: which is the newest that holds what the page tells of. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { z } from "zod";

/** What `tests/bench` and `tests/chaos` keep of the machine that they ran on. */
export const Machine = z.object({
  cpu: z.string(),
  cores: z.number(),
  memory: z.number(),
  system: z.string(),
  python: z.string(),
  postgres: z.string(),
  /** With a "+" where the tree had other changes; "unknown" outside of git. */
  commit: z.string(),
});
export type Machine = z.infer<typeof Machine>;

/**
 * The newest file of a folder that `take` makes something of: their names sort by time. `take`
 * answers null for a file that tells of something else, and throws where it cannot be told of.
 * Every error names the file; there is one too where none was taken.
 */
export function newest<Schema extends z.ZodType, T>(
  folder: string,
  schema: Schema,
  take: (file: z.infer<Schema>) => T | null,
  missing: string,
): T {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  for (const name of names.sort().reverse()) {
    const path = join(folder, name);
    try {
      const read = schema.safeParse(JSON.parse(readFileSync(path, "utf8")));
      if (!read.success) throw new Error(z.prettifyError(read.error));
      const taken = take(read.data);
      if (taken !== null) return taken;
    } catch (error) {
      throw new Error(`${relative(process.cwd(), path)}: ${(error as Error).message}`);
    }
  }
  throw new Error(`${relative(process.cwd(), folder)}: ${missing}`);
}
