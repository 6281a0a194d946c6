// Tells when the page has been painted: the browser finishes a frame before it begins the next task.

const tasks: (() => void)[] = [];
const channel = new MessageChannel();
channel.port1.onmessage = () => tasks.shift()?.();

let isInFrame = false;

function afterTask(action: () => void): void {
  tasks.push(action);
  channel.port2.postMessage(null);
}

/** As requestAnimationFrame; what the callback puts into the page is known to be painted with this very frame. */
export function nextFrame(callback: (time: number) => void): number {
  return requestAnimationFrame((time) => {
    isInFrame = true;
    callback(time);
    queueMicrotask(() => (isInFrame = false)); // after what the callback renders, before any other task
  });
}

/** Calls back once the present content of the page has been painted. Returns a function that cancels it. */
export function afterPaint(action: () => void): () => void {
  let isOff = false;
  const done = () => {
    if (!isOff) action();
  };
  if (isInFrame) afterTask(done);
  else requestAnimationFrame(() => afterTask(done));
  return () => (isOff = true);
}
