import { leastUsed, MARK_AFTER_MS, MOST_BYTES, type RecordStore } from './store.js';

/** What is known of a record without reading it. */
interface Entry {
  readonly name: string;
  readonly bytes: number;
  readonly used: number;
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Keeps records in an IndexedDB of the page's origin; null where there is none (as in some private windows). */
export async function openDatabaseStore(name: string, mostBytes = MOST_BYTES): Promise<DatabaseStore | null> {
  if (typeof indexedDB === 'undefined') return null;
  try {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('records');
      request.result.createObjectStore('entries', { keyPath: 'name' });
    };
    const database = await done(request);
    // Another tab may have a later version to bring, or the user asks to clear the site.
    database.onversionchange = () => database.close();
    return new DatabaseStore(database, mostBytes);
  } catch {
    return null;
  }
}

export class DatabaseStore implements RecordStore {
  readonly #database: IDBDatabase;
  readonly #mostBytes: number;

  constructor(database: IDBDatabase, mostBytes: number) {
    this.#database = database;
    this.#mostBytes = mostBytes;
  }

  async read(name: string): Promise<Uint8Array | null> {
    try {
      const stores = this.#database.transaction(['records', 'entries'], 'readonly');
      const record = done(stores.objectStore('records').get(name));
      const entry = done(stores.objectStore('entries').get(name) as IDBRequest<Entry | undefined>);
      const [bytes, known] = await Promise.all([record, entry]);
      if (!(bytes instanceof Uint8Array)) return null;
      if (known !== undefined && Date.now() - known.used > MARK_AFTER_MS) {
        this.#database
          .transaction('entries', 'readwrite')
          .objectStore('entries')
          .put({ ...known, used: Date.now() });
      }
      return bytes;
    } catch {
      return null;
    }
  }

  async write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      const stores = this.#database.transaction(['records', 'entries'], 'readwrite');
      const [records, entries] = [stores.objectStore('records'), stores.objectStore('entries')];
      records.put(bytes, name);
      entries.put({ name, bytes: bytes.length, used: Date.now() });
      const all = await done(entries.getAll() as IDBRequest<Entry[]>);
      for (const unused of leastUsed(all, this.#mostBytes)) {
        records.delete(unused);
        entries.delete(unused);
      }
      await new Promise<void>((resolve) => {
        stores.oncomplete = () => resolve();
        stores.onabort = () => resolve();
      });
    } catch {
      // Not kept: the quota is used up, or the database was closed.
    }
  }

  async remove(name: string): Promise<void> {
    try {
      const stores = this.#database.transaction(['records', 'entries'], 'readwrite');
      stores.objectStore('records').delete(name);
      stores.objectStore('entries').delete(name);
    } catch {
      // It stays: a record is checked whenever it is read.
    }
  }
}
