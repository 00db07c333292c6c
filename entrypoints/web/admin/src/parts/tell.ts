/** Short news at the edge of the page. */
import { notifications } from "@mantine/notifications";

import { Problem } from "../api/problem";

const LONG_MS = 10_000;

export function tell(color: "green" | "yellow" | "red", message: string): void {
  notifications.show({ message, color, ...(color === "green" ? {} : { autoClose: LONG_MS }) });
}

/**
 * Why a write was refused; `otherwise` where the API did not say. That the session has ended is told
 * by the sign-in over the page.
 */
export function tellRefused(error: unknown, otherwise: string, of = ""): void {
  const problem = Problem.in(error);
  if (problem?.status === 401) return;
  tell("red", `${of}${problem?.message || otherwise}`);
}
