// The only place that asks the server: a request, its answer or why there is none.

/** The server answered, and said no; or a proxy did in its place, without a word of the server's. */
export class Refused extends Error {
  readonly status: number;
  /** Whether it is the server that refuses, not a proxy before it. */
  readonly isVerdict: boolean;
  /** All that the server said. */
  readonly body: unknown;

  constructor(status: number, sentence: string | null, body: unknown = null) {
    super(sentence ?? `The server answered ${status}.`);
    this.status = status;
    this.isVerdict = sentence !== null;
    this.body = body;
  }

  /** Whether the same request may succeed later. */
  get mayPass(): boolean {
    return !this.isVerdict || this.status >= 500 || [401, 403, 408, 425, 429].includes(this.status);
  }
}

/** No answer came. */
export class Away extends Error {}

const PATIENCE_MS = 15_000;

const KEY = "x-page-key";
let key = ""; // shows that a request is our page's, where a proxy makes it look like another site's

/** The header that shows it. */
export function pageKey(): readonly [name: string, value: string] {
  return [KEY, key];
}

export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  const headers = init.method === undefined ? init.headers : { ...init.headers, [KEY]: key };
  try {
    response = await fetch(path, {
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...init,
      ...(headers && { headers }),
    });
  } catch (error) {
    throw new Away(String(error));
  }
  key = response.headers.get(KEY) ?? key;
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/** What the server says of it; a refusal without a sentence is not the server's. */
export async function refusalOf(response: Response): Promise<Refused> {
  try {
    const body = (await response.json()) as { detail?: unknown };
    return new Refused(response.status, typeof body.detail === "string" ? body.detail : null, body);
  } catch {
    return new Refused(response.status, null); // not JSON
  }
}

export async function json<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await request(path, init);
  try {
    return (await response.json()) as T;
  } catch (error) {
    throw new Away(String(error)); // the answer broke off
  }
}

export function sending(method: string, body: unknown): RequestInit {
  return { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
