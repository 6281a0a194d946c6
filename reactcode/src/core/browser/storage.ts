// What the browser keeps for this person: localStorage that never throws, and identifiers.

export interface Storage {
  read(key: string): string | null;
  write(key: string, value: string): void;
  remove(key: string): void;
  keys(): string[];
}

function attempt<T>(action: () => T, otherwise: T): T {
  try {
    return action();
  } catch {
    return otherwise; // storage is full, forbidden or absent: the page works without
  }
}

export const browserStorage: Storage = {
  read: (key) => attempt(() => localStorage.getItem(key), null),
  write: (key, value) => attempt(() => localStorage.setItem(key, value), undefined),
  remove: (key) => attempt(() => localStorage.removeItem(key), undefined),
  keys: () => attempt(() => Object.keys(localStorage), []),
};

/** The value kept under a key, as `check` reads it; `check` gets undefined where there is none. */
export function kept<T>(key: string, check: (value: unknown) => T): T {
  const text = browserStorage.read(key);
  return check(text === null ? undefined : attempt(() => JSON.parse(text) as unknown, undefined));
}

export function keep(key: string, value: unknown): void {
  browserStorage.write(key, JSON.stringify(value));
}

/** A random UUID (version 4), also on a page served over plain HTTP, where crypto.randomUUID does not exist. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The identifier of this tab: it survives a reload and a restart of the server, so that undo still works. */
export function clientId(): string {
  const known = browserStorage.read("ia:client");
  if (known !== null && /^[A-Za-z0-9_.:-]{1,64}$/.test(known)) return known;
  const client = newId();
  browserStorage.write("ia:client", client);
  return client;
}
