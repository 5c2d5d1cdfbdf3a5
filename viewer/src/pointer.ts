// Moving the map by mouse, touch and wheel: drag, pinch, tap.
export interface Gestures {
  pan: (dx: number, dy: number) => void;
  zoom: (factor: number, x: number, y: number) => void;
  hover: (x: number, y: number) => void;
  leave: () => void;
  tap: (x: number, y: number) => void;
  /** Whether a drag from here moves something else than the map, which is then told where to. */
  grip: (x: number, y: number) => ((x: number) => void) | null;
}

const STILL = 5; // pixels that a tap may move

interface Finger {
  x: number;
  y: number;
}

export function watch(element: HTMLElement, gestures: Gestures): void {
  const fingers = new Map<number, Finger>();
  let moved = 0;
  let gripped: ((x: number) => void) | null = null;
  const place = (event: PointerEvent | WheelEvent): Finger => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const at = place(event);
    element.setPointerCapture(event.pointerId);
    if (!fingers.size) {
      moved = 0;
      gripped = gestures.grip(at.x, at.y);
    }
    fingers.set(event.pointerId, at);
  });
  element.addEventListener("pointermove", (event) => {
    const [at, before] = [place(event), fingers.get(event.pointerId)];
    if (!before) return gestures.hover(at.x, at.y);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, at);
    moved += Math.hypot(at.x - before.x, at.y - before.y);
    if (gripped) gripped(at.x);
    else if (other) pinch(gestures, before, at, other);
    else if (moved > STILL) gestures.pan(at.x - before.x, at.y - before.y);
  });
  const end = (event: PointerEvent) => {
    const at = place(event);
    const single = fingers.delete(event.pointerId) && !fingers.size;
    if (single && moved <= STILL && event.type === "pointerup" && !gripped) gestures.tap(at.x, at.y);
    if (fingers.size) moved = Infinity; // the rest of a pinch is no tap
    else gripped = null;
  };
  element.addEventListener("pointerup", end);
  element.addEventListener("pointercancel", end);
  element.addEventListener("pointerleave", () => gestures.leave());
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const at = place(event);
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
      gestures.zoom(Math.exp(-Math.max(-300, Math.min(300, pixels)) / 400), at.x, at.y);
    },
    { passive: false },
  );
}

function pinch(gestures: Gestures, before: Finger, at: Finger, other: Finger): void {
  const [old, now] = [before, at].map((one) => Math.hypot(one.x - other.x, one.y - other.y));
  gestures.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
  if (old > 0 && now > 0) gestures.zoom(now / old, (at.x + other.x) / 2, (at.y + other.y) / 2);
}
