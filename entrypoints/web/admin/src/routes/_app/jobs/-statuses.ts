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
