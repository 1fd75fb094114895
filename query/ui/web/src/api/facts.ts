/** What the server put into the page. */
export interface Facts {
  /** clew's own version. */
  version: string;
  /** Doors that are open, by name, with the addresses they listen on. */
  doors: Record<string, string>;
  /** Whether a trace can be kept beyond retention. */
  archive: boolean;
}

const EMPTY: Facts = { version: "", doors: {}, archive: false };

function read(): Facts {
  const text = document.getElementById("clew-facts")?.textContent;
  return text ? (JSON.parse(text) as Facts) : EMPTY;
}

export const facts: Facts = read();
