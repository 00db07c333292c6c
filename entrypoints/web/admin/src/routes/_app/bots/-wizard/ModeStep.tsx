import { Button, Group, Stack, Text } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, type Schemas } from "../../../../api/client";
import { useOnce } from "../../../../api/once";
import { Problem } from "../../../../api/problem";
import { GoButton } from "../../../../parts/Go";
import { Unfielded } from "../../../../parts/Trouble";
import { ModeField } from "../-BotFieldset";
import { type BotFields, newBot } from "../-fields";

type Shown = {
  form: UseFormReturnType<BotFields>;
  /** The bot, where switching it on is all that failed. */
  made: Schemas["BotView"] | null;
  onBack: () => void;
  onToken: () => void;
  onMade: (bot: Schemas["BotView"]) => void;
  onEnabled: () => void;
};

const MAKE = ["make and enable"] as const;

/** How updates come; then the bot is made and switched on. */
export function ModeStep({ form, made, onBack, onToken, onMade, onEnabled }: Shown) {
  const { t } = useTranslation("bots");
  const queries = useQueryClient();
  const mutation = useMutation({
    mutationKey: MAKE,
    mutationFn: async (fields: BotFields) => {
      const { data: bot } =
        made === null
          ? await api.POST("/api/bots", { body: newBot(fields) })
          : await api.PATCH("/api/bots/{bot_id}", {
              params: { path: { bot_id: made.id } },
              body: { telegramMode: fields.telegramMode },
            });
      onMade(bot!);
      const { data: enabled } = await api.POST("/api/bots/{bot_id}/enable", {
        params: { path: { bot_id: bot!.id } },
      });
      return enabled!;
    },
    onSuccess: (bot) => {
      onMade(bot);
      onEnabled();
    },
    onError: (error) => {
      const fields = Problem.in(error)?.fields ?? {};
      form.setErrors(fields);
      if (made !== null) return;
      if ("token" in fields || "telegramApiUrl" in fields) onToken();
      else if (Object.keys(fields).length > 0 && !("telegramMode" in fields)) onBack();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["get", "/api/bots"] }),
  });
  const make = useOnce(MAKE, mutation);
  return (
    <form onSubmit={form.onSubmit((fields) => make.mutate(fields))} noValidate>
      <Stack maw={560}>
        <ModeField form={form} />
        <Unfielded problem={Problem.in(make.error)} />
        {made && <Text size="sm">{t("wizard.made")}</Text>}
        <Group justify="space-between">
          {made ? (
            <GoButton variant="default" to="/bots/$botId" params={{ botId: String(made.id) }}>
              {t("wizard.toBot")}
            </GoButton>
          ) : (
            <Button variant="default" onClick={onBack}>
              {t("wizard.back")}
            </Button>
          )}
          <Button type="submit" loading={make.isPending}>
            {t(made ? "enable" : "wizard.create")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
