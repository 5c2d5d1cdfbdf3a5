// A helper of the worker: opens frames of Blosc that are handed over, on a core of its own.
import { open, type Half } from "./blosc";

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = ({ data }: MessageEvent<Uint8Array[]>) => {
  try {
    const found: Half[] = data.map(open);
    scope.postMessage(found, found.map((one) => one.bytes.buffer as ArrayBuffer));
  } catch (error) {
    scope.postMessage((error as Error).message);
  }
};
