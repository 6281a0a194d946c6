// The files in what a person drops: folders too, each file with its path in them.

export interface Dropped {
  readonly file: File;
  /** With the folders it was in. */
  readonly name: string;
}

/** All files that were dropped; to be called while the event is handled, for the list is empty afterwards. */
export async function filesOf(transfer: DataTransfer): Promise<readonly Dropped[]> {
  const entries = Array.from(transfer.items).flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return chosen(transfer.files);
  return (await Promise.all(entries.map(inEntry))).flat();
}

/** Files of an input; with a folder chosen, each with its path in it. */
export function chosen(files: FileList): readonly Dropped[] {
  return Array.from(files, (file) => ({ file, name: file.webkitRelativePath || file.name }));
}

async function inEntry(entry: FileSystemEntry): Promise<readonly Dropped[]> {
  const name = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) return [{ file: await fileOf(entry as FileSystemFileEntry), name }];
  if (!entry.isDirectory) return [];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Dropped[] = [];
  for (;;) {
    const some = await entriesOf(reader); // a browser gives a hundred at a time
    if (some.length === 0) return found;
    for (const inner of some) found.push(...(await inEntry(inner)));
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}
