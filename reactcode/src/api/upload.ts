// Files on their way to the server: images, and labels that a person has already.
import { Away, json, pageKey, refusalOf, Refused, sending } from "./client";
import type { Imported, ImportPlan, AnswerOf, Reading, Unnamed, Uploaded } from "./types";

const IMPORT_PATIENCE_MS = 300_000;
const IMPORT_NAME = 60; // characters of the file's name: its ending says what it is

function importing<T>(file: File, reading: Reading, isDry: boolean): Promise<T> {
  const { overwrite, positive, negative, columns } = reading;
  const query = new URLSearchParams({
    name: file.name.slice(-IMPORT_NAME),
    dry_run: String(isDry),
    overwrite: String(overwrite),
    ...columns,
  });
  for (const word of positive) query.append("positive", word);
  for (const word of negative) query.append("negative", word);
  return json<T>(`api/import?${query.toString()}`, {
    method: "POST",
    body: file,
    signal: AbortSignal.timeout(IMPORT_PATIENCE_MS),
  });
}

/** Which column of a table the server asks for; null: it refused for another reason. */
export function unnamedIn(error: unknown): Unnamed | null {
  const body = error instanceof Refused ? (error.body as Partial<Unnamed> | null) : null;
  return body?.missing && Array.isArray(body.columns)
    ? { missing: body.missing, columns: body.columns }
    : null;
}

export const planImport = (file: File, reading: Reading) => importing<ImportPlan>(file, reading, true);

export const importLabels = (file: File, reading: Reading) => importing<Imported>(file, reading, false);

export const lastImport = () => json<AnswerOf<"get_import_last">>("api/import/last");

export const undoImport = (group: string) =>
  json<AnswerOf<"post_import_undo">>("api/import/undo", sending("POST", { group }));

/** Add an image, or a zip of them; a request of its own kind, for fetch does not tell how far it is. */
export function upload(
  file: File,
  name: string,
  signal: AbortSignal,
  onSent: (bytes: number) => void,
): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    signal.addEventListener("abort", () => sending.abort());
    sending.upload.onprogress = ({ loaded }) => onSent(loaded);
    sending.onerror = sending.onabort = () => reject(new Away("The server is away."));
    sending.onload = () => {
      void readUpload(new Response(sending.responseText, { status: sending.status })).then(resolve, reject);
    };
    sending.open("POST", `api/upload?${new URLSearchParams({ name }).toString()}`);
    sending.setRequestHeader(...pageKey());
    sending.send(file);
  });
}

async function readUpload(response: Response): Promise<Uploaded> {
  if (!response.ok) throw await refusalOf(response);
  return (await response.json()) as Uploaded;
}
