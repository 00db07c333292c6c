/** What every language says. `en` and `ru` beside this file are the words. */
import type { ReactNode } from "react";
import type { FaultKind } from "../proof/chaos";

export interface Shot {
  /** What is to be seen, for whoever cannot. */
  alt: string;
  caption: ReactNode;
  /** The link to it. */
  open: string;
}

export interface Rival {
  name: string;
  url: string;
  best: ReactNode;
  has: ReactNode;
  ours: ReactNode;
}

export interface Texts {
  languageName: string;
  otherLanguage: string;
  skip: string;
  site: { title: string; description: string; picture: string };
  nav: { label: string; documents: string; signIn: string; sandbox: string; api: string };
  footer: { license: string; source: string; note: string };

  hero: {
    sentence: ReactNode;
    lead: ReactNode;
    where: ReactNode;
    run: string;
    test: string;
    sandbox: ReactNode;
  };
  shots: { title: string; overview: Shot; chat: Shot; message: Shot };
  steps: { title: string; steps: { title: string; text: ReactNode }[]; more: string };

  proofs: {
    title: string;
    lost: {
      title: string;
      text: ReactNode;
      about: (faults: string, seconds: number, chats: number) => ReactNode;
      faults: Record<FaultKind, (count: number) => string>;
      measured: string;
      count: string;
      rows: {
        messages: string;
        answered: string;
        lost: string;
        out_of_order: string;
        billed_twice: string;
        left_waiting: string;
        given_up: string;
        parts_doubled: string;
        asked_again: string;
      };
      waits: (longest: string) => ReactNode;
      note: ReactNode;
    };
    replay: { title: string; text: ReactNode; note: ReactNode };
    speed: {
      title: string;
      /** The title where the newest figures do not say so. */
      slower: string;
      text: (chats: string, each: string, rounds: string) => ReactNode;
      /** In what the contestants differ. */
      unequal: ReactNode;
      contestant: string;
      names: { kotodom: string; aiogram: string; aiogramAiohttp: string };
      perSecond: string;
      acknowledged: string;
      cpu: string;
      replayed: string;
      quiet: (
        p50: string,
        p99: string,
        aiogram: string,
        aiogramAiohttp: string,
        count: string,
      ) => ReactNode;
      none: string;
    };
    machine: (command: ReactNode, date: string, machine: string) => ReactNode;
    cores: (count: number, cpu: string) => string;
    commit: (name: string, changed: boolean) => string;
    table: string;
  };

  rivals: {
    title: string;
    text: ReactNode;
    best: string;
    has: string;
    ours: string;
    rivals: Rival[];
    lacks: ReactNode;
  };
  questions: { title: string; questions: { question: string; answer: ReactNode }[] };

  documents: {
    title: string;
    description: string;
    all: string;
    onThisPage: string;
    others: string;
    search: string;
    found: string;
    nothing: string;
    failed: string;
    previous: string;
    next: string;
  };
  code: { copy: string; copied: string };
  notFound: { title: string; text: string; home: string };
}
