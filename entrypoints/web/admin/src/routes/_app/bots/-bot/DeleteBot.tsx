import { Button, Stack, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../../api/client";
import { Problem } from "../../../../api/problem";
import { Refused } from "../../../../parts/Trouble";

/** As a page shows it: no field can hold a line's end, and nobody sees how many spaces there are. */
const folded = (name: string): string => name.trim().replace(/\s+/g, " ");

/** Deleting asks for the bot's name. */
export function DeleteBot({ bot }: { bot: Schemas["BotView"] }) {
  const { t } = useTranslation("bots");
  const queries = useQueryClient();
  const router = useRouter();
  const [name, setName] = useState("");
  const remove = $api.useMutation("delete", "/api/bots/{bot_id}", {
    onSuccess: async () => {
      notifications.show({ message: t("delete.done"), color: "green" });
      // What is not saved of it is gone with it.
      await router.navigate({ to: "/bots", ignoreBlocker: true });
      await queries.invalidateQueries();
    },
  });
  return (
    <Stack maw={560}>
      <Title order={2} size="h4">
        {t("delete.title")}
      </Title>
      <Text>{t("delete.text")}</Text>
      <TextInput
        label={t("delete.confirm", { name: bot.name })}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        autoComplete="off"
      />
      <Refused problem={Problem.in(remove.error)} />
      <Button
        color="red"
        disabled={folded(name) !== folded(bot.name)}
        loading={remove.isPending}
        onClick={() => remove.mutate({ params: { path: { bot_id: bot.id } } })}
        style={{ alignSelf: "flex-start" }}
      >
        {t("delete.button")}
      </Button>
    </Stack>
  );
}
