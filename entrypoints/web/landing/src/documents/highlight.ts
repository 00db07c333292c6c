/** Colours of code, as classes that style/code.css knows; at build time only. */
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import http from "highlight.js/lib/languages/http";
import ini from "highlight.js/lib/languages/ini";
import json from "highlight.js/lib/languages/json";
import nginx from "highlight.js/lib/languages/nginx";
import python from "highlight.js/lib/languages/python";
import sql from "highlight.js/lib/languages/sql";
import yaml from "highlight.js/lib/languages/yaml";

// highlight.js knows no Caddyfile; its blocks and directives look like nginx's.
const LANGUAGES = {
  bash,
  sh: bash,
  dockerfile,
  http,
  ini,
  json,
  nginx,
  caddy: nginx,
  python,
  sql,
  yaml,
};
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);

export const KNOWN = new Set([...Object.keys(LANGUAGES), "text"]);

/** HTML of code in a language that is KNOWN. */
export function highlight(code: string, language: string): string {
  return language === "text" ? escaped(code) : hljs.highlight(code, { language }).value;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
