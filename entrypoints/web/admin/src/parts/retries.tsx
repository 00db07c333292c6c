/** Trying messages again: some that were chosen, or all that filters name. */
import { Button, type ButtonProps, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { useTranslation } from "react-i18next";

import { $api, api, type Schemas } from "../api/client";
import { useOnce } from "../api/once";
import { Problem } from "../api/problem";

const LONG_MS = 10_000;
const RETRY = ["retry"] as const;

function useAskAgain(): () => Promise<void> {
  const queries = useQueryClient();
  return () =>
    queries.invalidateQueries({
      predicate: ({ queryKey }) => String(queryKey[1]).startsWith("/api/processing"),
    });
}

/** Each by itself, for one that has ended meanwhile must not keep the others from it. */
export function useRetry() {
  const { t } = useTranslation("retries");
  const askAgain = useAskAgain();
  const retry = useMutation({
    mutationKey: RETRY,
    mutationFn: async (messages: readonly { id: number }[]) => {
      const refused: Problem[] = [];
      for (const { id } of messages) {
        try {
          await api.POST("/api/processing/{processing_id}/retry", {
            params: { path: { processing_id: id } },
          });
        } catch (error) {
          const problem = Problem.in(error);
          if (problem === null || problem.status === 401 || problem.status === 0) throw error;
          refused.push(problem);
        }
      }
      return { retried: messages.length - refused.length, refused };
    },
    onSuccess: ({ retried, refused }) => {
      if (retried > 0) tell("green", t("retried", { count: retried }));
      const [first] = refused;
      if (first) tell("yellow", `${t("refused", { count: refused.length })} ${first.message}`);
    },
    onError: (error) => tell("red", Problem.in(error)?.message || t("notRetried")),
    onSettled: askAgain,
  });
  return useOnce(RETRY, retry);
}

type Matching = ButtonProps & { filter: Schemas["RetryFilter"]; label: string };

/** Tries again, after a question, whatever the filter names and may be tried again. */
export function RetryMatching({ filter, label, ...button }: Matching) {
  const { t } = useTranslation(["retries", "common"]);
  const askAgain = useAskAgain();
  const retry = $api.useMutation("post", "/api/processing/retry", {
    onSuccess: ({ retried, left }) =>
      tell(
        "green",
        t("retried", { count: retried }) + (left ? ` ${t("left", { count: left })}` : ""),
      ),
    onError: (error: unknown) => tell("red", Problem.in(error)?.message || t("notRetried")),
    onSettled: askAgain,
  });
  const confirm = (): void => {
    modals.openConfirmModal({
      title: label,
      children: <Text size="sm">{t(Object.keys(filter).length > 0 ? "text" : "everything")}</Text>,
      labels: { confirm: t("common:retry"), cancel: t("common:cancel") },
      onConfirm: () => retry.mutate({ body: { filter } }),
    });
  };
  return (
    <Button
      variant="light"
      leftSection={<RotateCcw size={16} aria-hidden />}
      loading={retry.isPending}
      onClick={confirm}
      {...button}
    >
      {label}
    </Button>
  );
}

function tell(color: string, message: string): void {
  notifications.show({ message, color, ...(color === "green" ? {} : { autoClose: LONG_MS }) });
}
