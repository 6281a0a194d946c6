// Answers that the server has not acknowledged yet, in IndexedDB: they outlive a reload and a crash of the tab.
import { openDB, unwrap, type IDBPDatabase } from "idb";

/** Where the outbox keeps what waits; nothing here ever throws or blocks. */
export interface Kept {
  /** What an earlier page left behind, in the order of the keys. */
  all(prefix: string): Promise<readonly (readonly [string, unknown])[]>;
  put(key: string, value: unknown): void;
  remove(key: string): void;
}

const STORE = "outbox";
const PATIENCE_MS = 2_000; // after that, answers are kept only in the page

/** The browser's database; without one, nothing is kept over a reload, and the page works all the same. */
export async function openKept(): Promise<Kept> {
  const tooLate = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
  const database = await Promise.race([opened().catch(() => null), tooLate]);
  return database === null ? NOWHERE : new Database(database);
}

async function opened(): Promise<IDBPDatabase> {
  return openDB("intelligent-annotation", 1, {
    upgrade: (database) => void database.createObjectStore(STORE),
    blocking: (_old, _new, event) => (event.target as IDBDatabase).close(),
  });
}

const NOWHERE: Kept = {
  all: () => Promise.resolve([]),
  put: () => undefined,
  remove: () => undefined,
};

class Database implements Kept {
  constructor(private readonly database: IDBPDatabase) {}

  async all(prefix: string) {
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    try {
      const transaction = this.database.transaction(STORE);
      const keys = (await transaction.store.getAllKeys(range)) as string[];
      const values = (await transaction.store.getAll(range)) as unknown[];
      return keys.map((key, place) => [key, values[place]] as const);
    } catch {
      return [];
    }
  }

  put(key: string, value: unknown): void {
    this.write((store) => store.put(value, key));
  }

  remove(key: string): void {
    this.write((store) => store.delete(key));
  }

  /** The commit goes out with the request: a tab that crashes a moment later has written it. */
  private write(change: (store: IDBObjectStore) => unknown): void {
    try {
      const transaction = this.database.transaction(STORE, "readwrite", { durability: "relaxed" });
      transaction.done.catch(() => undefined); // the disk is full; the server will soon have the answer anyway
      change(unwrap(transaction.store));
      transaction.commit();
    } catch {
      // the browser has closed the database
    }
  }
}
