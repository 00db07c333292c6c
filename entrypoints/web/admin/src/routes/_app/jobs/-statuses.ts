import type { Schemas } from "../../../api/client";

export type JobStatus = Schemas["JobStatus"];

export const STATUSES = ["queued", "picked", "failed"] as const satisfies readonly JobStatus[];

export const COLORS: Record<JobStatus, string> = {
  queued: "gray",
  picked: "blue",
  failed: "red",
};

export function isJobStatus(value: unknown): value is JobStatus {
  return STATUSES.some((status) => status === value);
}

/**
 * A worker takes and ends jobs without telling the pages, which would hear of hundreds in a second:
 * while somebody looks they ask instead.
 */
export const ASK_AGAIN_MS = 5_000;
