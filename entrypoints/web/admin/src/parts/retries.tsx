/** Trying messages again: some that were chosen, or all that filters name. */
import { Button, type ButtonProps, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { RotateCcw } from "lucide-react";
import { useTranslation } from "react-i18next";

import { $api, api, type Schemas } from "../api/client";
import { useOnce } from "../api/once";
import { Problem } from "../api/problem";
import type { paths } from "../api/schema";
import { tell, tellRefused } from "./tell";

const RETRY = ["retry"] as const;

function useAskAgain(): () => Promise<void> {
  const queries = useQueryClient();
  return () =>
    queries.invalidateQueries({
      predicate: ({ queryKey }) => String(queryKey[1]).startsWith("/api/processing"),
    });
}

/**
 * Each by itself, for one that has ended meanwhile must not keep the others from it. Where nobody
 * answers any more the rest is left; `onDone` hears of each that is not.
 */
export function useRetry(onDone?: (id: number) => void) {
  const { t } = useTranslation("retries");
  const askAgain = useAskAgain();
  const retry = useMutation({
    mutationKey: RETRY,
    mutationFn: async (messages: readonly { id: number }[]) => {
      const refused: Problem[] = [];
      let retried = 0;
      try {
        for (const { id } of messages) {
          try {
            await api.POST("/api/processing/{processing_id}/retry", {
              params: { path: { processing_id: id } },
            });
            retried += 1;
          } catch (error) {
            const problem = Problem.in(error);
            if (problem === null || problem.status === 401 || problem.status === 0) throw error;
            refused.push(problem);
          }
          onDone?.(id);
        }
      } finally {
        const [first] = refused;
        const left = messages.length - retried - refused.length;
        if (retried > 0) tell("green", t("retried", { count: retried }));
        if (first) tell("yellow", `${t("refused", { count: refused.length })} ${first.message}`);
        if (left > 0 && left < messages.length) tell("yellow", t("left", { count: left }));
      }
    },
    onError: (error) => tellRefused(error, t("notRetried")),
    onSettled: askAgain,
  });
  return useOnce(RETRY, retry);
}

type Filtered = {
  filter: NonNullable<paths["/api/processing/retry"]["get"]["parameters"]["query"]>;
};
type Matching = ButtonProps & Filtered & { label: string };

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
    onError: (error: unknown) => tellRefused(error, t("notRetried")),
    onSettled: askAgain,
  });
  const confirm = (): void => {
    modals.openConfirmModal({
      title: label,
      children: (
        <>
          <Text size="sm">{t(Object.keys(filter).length > 0 ? "text" : "everything")}</Text>
          <HowMany filter={filter} />
        </>
      ),
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

function HowMany({ filter }: Filtered) {
  const { t } = useTranslation("retries");
  const { data, isPending } = $api.useQuery("get", "/api/processing/retry", {
    params: { query: filter },
  });
  return (
    <Text size="sm" fw={600} mt="sm" role="status">
      {isPending ? t("counting") : data ? many(t, data) : t("uncounted")}
    </Text>
  );
}

/** Of so many failures that none of the first had the words, nothing is known. */
function many(t: TFunction<"retries">, { count, orMore }: Schemas["RetryCount"]): string {
  if (count === null || (count === 0 && orMore)) return t("uncounted");
  return t(orMore ? "orMore" : "howMany", { count });
}
