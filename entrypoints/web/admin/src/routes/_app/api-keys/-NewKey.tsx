import {
  Alert,
  Button,
  Code,
  CopyButton,
  Group,
  Modal,
  Select,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { type Role, useMe } from "../../../api/me";
import { Problem } from "../../../api/problem";
import { Unfielded } from "../../../parts/Trouble";

/** From the least to the most: a key may do what its maker may, or less. */
const ROLES = ["USER", "MANAGER", "ADMIN"] as const satisfies readonly Role[];

/** Makes a key, and shows it this once. */
export function NewKey({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(["apiKeys", "common"]);
  const queries = useQueryClient();
  const me = useMe();
  const roles = ROLES.slice(0, ROLES.indexOf(me.role) + 1);
  const form = useForm<{ name: string; role: Role }>({
    initialValues: { name: "", role: "USER" },
    validate: { name: (value) => (value.trim() ? null : t("nameMissing")) },
  });
  const create = $api.useMutation("post", "/api/api-keys", {
    onSuccess: () => queries.invalidateQueries({ queryKey: ["get", "/api/api-keys"] }),
    onError: (error: unknown) => form.setErrors(Problem.in(error)?.fields ?? {}),
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("add")}
      closeOnClickOutside={create.data === undefined}
      closeButtonProps={{ "aria-label": t("common:close") }}
    >
      {create.data ? (
        <Stack>
          <Alert color="yellow">{t("once")}</Alert>
          <Code block className="text" data-testid="api-key">
            {create.data.key}
          </Code>
          <Group justify="flex-end">
            <CopyButton value={create.data.key}>
              {({ copied, copy }) => (
                <Button variant="light" onClick={copy}>
                  {copied ? t("copied") : t("copy")}
                </Button>
              )}
            </CopyButton>
            <Button onClick={onClose}>{t("done")}</Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={form.onSubmit((body) => create.mutate({ body }))} noValidate>
          <Stack>
            <Text size="sm">{t("what")}</Text>
            <TextInput
              label={t("name")}
              placeholder={t("nameExample")}
              data-autofocus
              {...form.getInputProps("name")}
            />
            <Select
              label={t("role")}
              data={roles.map((value) => ({ value, label: t(`common:roles.${value}`) }))}
              allowDeselect={false}
              {...form.getInputProps("role")}
            />
            <Unfielded problem={Problem.in(create.error)} />
            <Group justify="flex-end">
              <Button variant="default" onClick={onClose}>
                {t("common:cancel")}
              </Button>
              <Button type="submit" loading={create.isPending}>
                {t("make")}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
