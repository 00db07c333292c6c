import { Code, Timeline as Steps, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../../api/client";
import { useFigures } from "../../../parts/figures";
import { dates } from "../../../parts/formats";
import { full } from "../../../parts/When";
import { type Sentence, story, type Told } from "./-story";

const COLORS: Record<Told["mood"], string> = {
  good: "green",
  bad: "red",
  waiting: "yellow",
  plain: "gray.5",
};

/** With its own colour; Mantine's white shines in the dark. */
const FILLED = { backgroundColor: "var(--tli-color)" };

const clock = dates({ timeStyle: "medium", dateStyle: "medium" });

export function Timeline({ steps }: { steps: Schemas["TimelineStep"][] }) {
  const { t, i18n } = useTranslation("messages");
  const figures = useFigures();
  const said = ({ key, values }: Sentence): string =>
    t(`story.${key}`, {
      ...values,
      ...(values.seconds === undefined ? {} : { seconds: figures.seconds(Number(values.seconds)) }),
    });
  let before: Date | undefined;
  return (
    <Steps active={steps.length} bulletSize={16} lineWidth={2} styles={{ itemBullet: FILLED }}>
      {story(steps).map(({ step, at, mood, what, reason, led }) => {
        const date = new Date(at);
        const after = before && (date.getTime() - before.getTime()) / 1000;
        before = date;
        return (
          <Steps.Item key={step} color={COLORS[mood]} title={said(what)}>
            <Text size="sm" c="dimmed">
              <time dateTime={at} title={full(date, i18n.language)}>
                {clock(i18n.language).format(date)}
              </time>
              {after !== undefined && ` (+${figures.seconds(after)})`}
            </Text>
            {reason && (
              <Text size="sm" className="text">
                {reason}
              </Text>
            )}
            {led.length > 0 && (
              <Text size="sm" className="text">
                {led.map(said).join("\n")}
              </Text>
            )}
            <Text size="sm" component="details">
              <summary>{t("raw")}</summary>
              <Code block>{JSON.stringify(steps[step], null, 2)}</Code>
            </Text>
          </Steps.Item>
        );
      })}
    </Steps>
  );
}
