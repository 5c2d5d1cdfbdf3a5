// What the page asks its worker, and what comes back.
import type { Facts } from "./source";

export type Question =
  | { kind: "open"; url: string; variable: string }
  | { kind: "map"; source: number; hour: number }
  | { kind: "kinds"; source: number; hour: number }
  | { kind: "cell"; source: number; row: number; column: number; first: number; last: number };

export type Request = { id: number; question: Question } | { id: number; stop: true };

export interface Opened {
  source: number;
  facts: Facts;
  kindsTogether: number;
}

/** `part` is one of several, the last answer is `done`. */
export type Answer = { id: number; part: unknown } | { id: number; done: unknown } | { id: number; failed: string; stopped: boolean };
