import { MantineProvider } from "@mantine/core";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";

import { Markdown } from "./Markdown";

/** What stands in the page, without Mantine's own style element. */
function shown(text: string): string {
  const page = renderToStaticMarkup(
    <MantineProvider withCssVariables={false} withGlobalClasses={false}>
      <Markdown text={text} />
    </MantineProvider>,
  );
  return page.replace(/<style[^>]*data-mantine[^>]*>.*?<\/style>/gs, "");
}

const words = (page: string): string =>
  page
    .replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#x27;", "'")
    .replaceAll("&amp;", "&");

const ALLOWED =
  /^(?:div|p|strong|em|del|code|pre|a|ul|ol|li|blockquote|hr|br|table|thead|tbody|tr|th|td|sup|footer)$/;

const HOSTILE = [
  "<script>window.ran = 1</script>",
  '<img src=x onerror="window.ran = 1">',
  "text <b onclick=window.ran=1>bold</b> <svg/onload=alert(1)>",
  "<iframe src='javascript:alert(1)'></iframe>\n<style>*{display:none}</style>",
  "<!-- a comment --> <base href='https://evil.example'>",
  "<Component bar={window.ran=1} /> {window.ran}",
  "| <img src=x onerror=alert(1)> |\n|---|\n| <script>1</script> |",
  "> <form action=//evil.example><input name=x>",
  "# <a id=page name=page>heading</a>",
  "```html\n<script>window.ran = 1</script>\n```",
  '```" onmouseover="alert(1)\ncode\n```',
];

test.each(HOSTILE)("nothing of it becomes an element: %s", (text) => {
  const page = shown(text);
  for (const [, tag = "", attributes = ""] of page.matchAll(/<([a-z0-9]+)((?:\s[^>]*)?)>/g)) {
    expect(tag).toMatch(ALLOWED);
    const named = attributes.replace(/"[^"]*"/g, "");
    expect(named).not.toMatch(/\s(?:on\w+|id|name|src|srcdoc|action|formaction)\b/i);
  }
  for (const [tag] of text.matchAll(/<[^<>]*>/g)) expect(words(page)).toContain(tag);
});

test.each([
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](java\tscript:alert(1))",
  "[x](&#106;avascript:alert(1))",
  "[x](%6aavascript:alert(1))",
  "[x](\u0001javascript:alert(1))",
  "[x](data:text/html,<script>1</script>)",
  "[x](vbscript:msgbox)",
  "[x](file:///etc/passwd)",
  "[x](blob:https://a/b)",
  "[x](//evil.example)",
  "[x](/api/auth/logout)",
  "[x](#page)",
  "[x](__proto__)",
  "[x][1]\n\n[1]: javascript:alert(1)",
  "<javascript:alert(1)>",
  "![x](javascript:alert(1))",
  "[![x](javascript:alert(1))](javascript:alert(2))",
])("it leads nowhere: %s", (text) => {
  expect(shown(text)).not.toMatch(/href|src=/);
});

test.each([
  "[x](https://a.example)",
  "<https://a.example>",
  "https://a.example",
  "![x](https://a.example)",
  "[x](mailto:a@a.example)",
  "[x](tg://resolve?domain=murka)",
])("it leads out, in a tab of its own that knows nothing of this one: %s", (text) => {
  const [link = "", ...others] = shown(text).match(/<a [^>]*>/g) ?? [];
  expect(others).toEqual([]);
  expect(link).toMatch(/ href="(?:https:\/\/a\.example|mailto:a@a\.example|tg:\/\/resolve)/);
  expect(link).toContain(' target="_blank"');
  expect(link).toContain(' rel="noopener noreferrer"');
});

test("no picture is fetched, though it stands in a link", () => {
  const page = shown(
    "![a cat](https://a.example/1.png) [![dog](https://b.example/2.png)](https://c.example)",
  );
  expect(page).not.toMatch(/<img|<link|src=/);
  expect(words(page)).toBe("a cat dog");
});

test("what is meant is shown", () => {
  const page = shown(
    "# Title\n\nline one\nline two **bold** _it_ ~~no~~ `c`\n\n- [x] done\n- [ ] open\n\n> said\n\n" +
      "| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nlet a;\n```",
  );
  for (const part of [
    "<p><strong>Title</strong></p>",
    "line one\nline two <strong>bold</strong> <em>it</em> <del>no</del> <code>c</code>",
    "☑ done",
    "☐ open",
    "<blockquote><p>said</p></blockquote>",
    "<td>2</td>",
    "let a;",
  ]) {
    expect(page).toContain(part);
  }
});

test.each([
  ["no front matter is lost", "---\ntitle: x\n---\ntext", "title: x"],
  ["what is not closed stays", "unclosed **bold and `code", "unclosed **bold and `code"],
  ["sums stay sums", "2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"],
])("%s", (_, text, expected) => {
  expect(words(shown(text))).toContain(expected);
});

test.each(["[", "*", "> ", "|", "_a ", "<", "- ", "![", "[a](", "`", "a@", "\\", "<a "])(
  "many of %j are no work",
  (piece) => {
    const began = performance.now();
    shown(piece.repeat(20_000 / piece.length));
    expect(performance.now() - began).toBeLessThan(2_000);
  },
);
