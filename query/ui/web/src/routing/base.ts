/** Where the page is mounted, without a slash at the end: "" or such as "/jaeger". The server's <base> says it. */
export const basePath: string = new URL(".", document.baseURI).pathname.replace(/\/$/, "");

/** The href of a place in the page, for links that are not wouter's. path: "/trace/1f". */
export function placeUrl(path: string): string {
  return basePath + path;
}
