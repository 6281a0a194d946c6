// What the server tells of its status: its event stream, opened anew when it falls silent, and questions while it is.

/** The status as text; or no answer came, or one that is no status: whoever hears it asks and is told why. */
export type News = { readonly status: string } | "away";

const REOPEN_MS = 3_000;
const FIRST_WORD_MS = 8_000; // the server speaks at once, unless something on the way keeps its words back
const SILENCE_MS = 25_000; // it speaks every 10 s at least
const ASK_EVERY_MS = 2_000;

/**
 * Follow the status until the returned function is called.
 *
 * @param at the address of the page, with a slash at its end.
 */
export function follow(at: string, tell: (news: News) => void): () => void {
  let source: EventSource | null = null;
  let opening: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let asking: ReturnType<typeof setInterval> | undefined;

  const hear = () => {
    clearTimeout(silence);
    clearInterval(asking);
    asking = undefined;
    silence = setTimeout(onSilence, SILENCE_MS);
  };
  const open = () => {
    for (const timer of [opening, silence]) clearTimeout(timer);
    silence = setTimeout(onSilence, FIRST_WORD_MS);
    source?.close();
    const stream = (source = new EventSource(`${at}api/events`));
    stream.addEventListener("beat", hear);
    stream.addEventListener("status", (event: MessageEvent<string>) => {
      hear();
      tell({ status: event.data });
    });
    stream.addEventListener("error", () => {
      tell("away");
      if (stream.readyState === EventSource.CLOSED) opening = setTimeout(open, REOPEN_MS); // else the browser does
    });
  };
  const onSilence = () => {
    asking ??= setInterval(() => void ask(at).then((news) => asking && tell(news)), ASK_EVERY_MS);
    open();
  };
  open();
  return () => {
    for (const timer of [opening, silence, asking]) clearTimeout(timer);
    asking = undefined;
    source?.close();
  };
}

async function ask(at: string): Promise<News> {
  try {
    const response = await fetch(`${at}api/status`, { signal: AbortSignal.timeout(FIRST_WORD_MS) });
    return response.ok ? { status: await response.text() } : "away";
  } catch {
    return "away";
  }
}
