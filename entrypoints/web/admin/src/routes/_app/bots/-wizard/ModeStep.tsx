import { Button, Group, Stack } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, type Schemas } from "../../../../api/client";
import { Problem } from "../../../../api/problem";
import { Refused } from "../../../../parts/Trouble";
import { ModeField } from "../-BotFieldset";
import { type BotFields, newBot } from "../-fields";

type Shown = {
  form: UseFormReturnType<BotFields>;
  onBack: () => void;
  onToken: () => void;
  onMade: (bot: Schemas["BotView"]) => void;
};

/** How updates come; then the bot is made and switched on. */
export function ModeStep({ form, onBack, onToken, onMade }: Shown) {
  const { t } = useTranslation("bots");
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: async (fields: BotFields) => {
      const { data: made } = await api.POST("/api/bots", { body: newBot(fields) });
      const { data: enabled } = await api.POST("/api/bots/{bot_id}/enable", {
        params: { path: { bot_id: made!.id } },
      });
      return enabled!;
    },
    onSuccess: (bot) => {
      void queries.invalidateQueries({ queryKey: ["get", "/api/bots"] });
      onMade(bot);
    },
    onError: (error) => {
      const fields = Problem.in(error)?.fields ?? {};
      form.setErrors(fields);
      if ("token" in fields || "telegramApiUrl" in fields) onToken();
      else if (Object.keys(fields).length > 0 && !("telegramMode" in fields)) onBack();
    },
  });
  return (
    <form onSubmit={form.onSubmit((fields) => make.mutate(fields))} noValidate>
      <Stack maw={560}>
        <ModeField form={form} />
        <Refused problem={Problem.in(make.error)} />
        <Group justify="space-between">
          <Button variant="default" onClick={onBack}>
            {t("wizard.back")}
          </Button>
          <Button type="submit" loading={make.isPending}>
            {t("wizard.create")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
