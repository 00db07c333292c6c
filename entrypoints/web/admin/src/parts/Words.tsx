/** What somebody said: a model's answer as its Markdown means it, all else as it is. */
import { Text, type TextProps } from "@mantine/core";

import { Markdown } from "./Markdown";

export function Words({
  text,
  markdown,
  ...props
}: TextProps & { text: string; markdown: boolean }) {
  return (
    <Text component="div" {...props} {...(markdown ? {} : { className: "text" })}>
      {markdown ? <Markdown text={text} /> : text}
    </Text>
  );
}
