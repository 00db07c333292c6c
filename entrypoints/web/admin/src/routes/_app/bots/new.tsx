/** A new bot in four steps: its token, its model, how updates come, and a first message. */
import { Stepper, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDidUpdate, useMediaQuery } from "@mantine/hooks";
import { createFileRoute } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../../api/client";
import { Page } from "../../../parts/Page";
import { useUnsaved } from "../../../parts/unsaved";
import type { BotFields } from "./-fields";
import { FirstMessageStep } from "./-wizard/FirstMessageStep";
import { ModelStep } from "./-wizard/ModelStep";
import { ModeStep } from "./-wizard/ModeStep";
import { TokenStep } from "./-wizard/TokenStep";

export const Route = createFileRoute("/_app/bots/new")({ component: NewBot });

const STEPS = ["token", "model", "mode", "write"] as const;

const NOTHING: BotFields = {
  name: "",
  token: "",
  telegramMode: "POLLING",
  model: "",
  modelApi: "RESPONSES",
  instructions: "",
  temperature: "",
  maxOutputTokens: "",
  historyMessages: 20,
  assistantId: "",
  startMessage: "",
  helpText: "",
  errorMessage: "",
  telegramApiUrl: "",
  baseUrl: "",
  apiKey: "",
};

function NewBot() {
  const { t } = useTranslation("bots");
  const narrow = useMediaQuery("(max-width: 48em)");
  const [step, setStep] = useState(0);
  const [made, setMade] = useState<Schemas["BotView"] | null>(null);
  const form = useForm<BotFields>({
    initialValues: NOTHING,
    validate: { name: (value) => (value.trim() || step === 0 ? null : t("wizard.nameMissing")) },
  });
  useUnsaved(() => made === null && form.isDirty());
  const next = (): void => setStep((now) => now + 1);
  const back = (): void => setStep((now) => now - 1);
  const heading = useRef<HTMLHeadingElement>(null);
  // What was pressed is gone: from here one reads and goes on.
  useDidUpdate(() => heading.current?.focus(), [step]);
  return (
    <Page title={t("wizard.title")}>
      <Stepper active={step} maw={720} size="sm" wrap={false}>
        {STEPS.map((name, place) => (
          <Stepper.Step
            key={name}
            {...(narrow
              ? { "aria-label": `${place + 1} ${t(`wizard.steps.${name}`)}` }
              : { label: t(`wizard.steps.${name}`) })}
            aria-current={place === step ? "step" : undefined}
            disabled
          />
        ))}
      </Stepper>
      <Title order={2} size="h4" ref={heading} tabIndex={-1}>
        {t("wizard.step", {
          step: step + 1,
          steps: STEPS.length,
          name: t(`wizard.steps.${STEPS[step] ?? "write"}`),
        })}
      </Title>
      {step === 0 && <TokenStep form={form} onNext={next} />}
      {step === 1 && <ModelStep form={form} onNext={next} onBack={back} />}
      {step === 2 && (
        <ModeStep
          form={form}
          made={made}
          onBack={back}
          onToken={() => setStep(0)}
          onMade={setMade}
          onEnabled={next}
        />
      )}
      {step === 3 && made && <FirstMessageStep bot={made} />}
    </Page>
  );
}
