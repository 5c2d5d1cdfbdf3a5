// Reads and unpacks stores beside the page, so that the page never waits.
import { Damaged } from "./blosc";
import type { Answer, Opened, Question, Request } from "./messages";
import { Source } from "./source";

const scope = self as unknown as DedicatedWorkerGlobalScope;
const sources: Source[] = [];
const running = new Map<number, AbortController>();

function post(answer: Answer, buffers: Transferable[] = []): void {
  scope.postMessage(answer, buffers);
}

async function open(id: number, url: string, variable: string): Promise<void> {
  const source = await Source.open(url, variable);
  const opened: Opened = { source: sources.push(source) - 1, facts: source.facts, kindsTogether: source.kindsTogether };
  post({ id, done: opened });
}

async function answer(id: number, question: Question, signal: AbortSignal): Promise<void> {
  if (question.kind === "open") return open(id, question.url, question.variable);
  const source = sources[question.source];
  if (question.kind === "map") {
    const map = await source.read(question.hour);
    return post({ id, done: map }, [map.buffer as ArrayBuffer]);
  }
  if (question.kind === "kinds") return post({ id, done: await source.kinds(question.hour) });
  for await (const part of source.cell(question.row, question.column, question.first, question.last, signal)) post({ id, part });
  post({ id, done: null });
}

scope.onmessage = async ({ data }: MessageEvent<Request>) => {
  const { id } = data;
  if ("stop" in data) {
    running.get(id)?.abort();
    return;
  }
  const controller = new AbortController();
  running.set(id, controller);
  try {
    await answer(id, data.question, controller.signal);
  } catch (error) {
    post({ id, failed: told(error), stopped: controller.signal.aborted });
  } finally {
    running.delete(id);
  }
};

function told(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return error instanceof Damaged || (error instanceof Error && error.name === "CodecPipelineError") ? `these data are damaged (${text})` : text;
}
