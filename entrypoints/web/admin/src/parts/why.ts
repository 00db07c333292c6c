/** Why a message failed or ended, in words; "" where it did neither. */
import { said } from "../i18n/said";

type Kept = { terminalReason: string | null; lastError: string | null };

export function why({ terminalReason, lastError }: Kept): string {
  return said(terminalReason ?? lastError ?? "");
}
