/**
 * A model's answer as it is meant, and a stranger's text all the same: raw HTML stays text, nothing
 * is fetched, no element has an id of the page's, and a link leads out of here or nowhere.
 */
import { Anchor, Box } from "@mantine/core";
import Rendered, { type MarkdownToJSX } from "markdown-to-jsx/react";
import { type ComponentProps, createElement, type ReactNode } from "react";

import classes from "./Markdown.module.css";

const OUTWARD = /^(?:https?|mailto|tg):/i;

function Outward({ href, children }: ComponentProps<"a">) {
  if (href === undefined || !OUTWARD.test(href)) return children;
  return (
    <Anchor inherit underline="always" href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </Anchor>
  );
}

/** A picture's host would learn who reads this, and when. */
const Picture = ({ src, alt }: { src?: string; alt?: string }) => (
  <Outward href={src}>{alt || src}</Outward>
);

/** The page has its own headings. Telegram has none, and shows them bold. */
const Heading = ({ children }: { children?: ReactNode }) => (
  <p>
    <strong>{children}</strong>
  </p>
);

const Block = (props: ComponentProps<"pre">) => <Box component="pre" tabIndex={0} {...props} />;

const Table = (props: ComponentProps<"table">) => (
  <Box className={classes.wide ?? ""} tabIndex={0}>
    <table {...props} />
  </Box>
);

const Task = ({ checked }: ComponentProps<"input">) => (checked ? "☑" : "☐");

const OPTIONS: MarkdownToJSX.Options = {
  disableParsingRawHTML: true,
  disableFrontmatter: true,
  forceBlock: true,
  forceWrapper: true,
  wrapper: "div",
  wrapperProps: { className: classes.markdown } as object,
  createElement: (tag, props, ...children) => {
    const { id: _, ...others } = props as { id?: string };
    return createElement(tag, others, ...children);
  },
  overrides: {
    a: Outward,
    img: Picture,
    h1: Heading,
    h2: Heading,
    h3: Heading,
    h4: Heading,
    h5: Heading,
    h6: Heading,
    pre: Block,
    table: Table,
    input: Task,
  },
};

export const Markdown = ({ text }: { text: string }) => (
  <Rendered options={OPTIONS}>{text}</Rendered>
);
