/** Requests to the server this page came from. Addresses are relative to the page's <base>, so any prefix works. */

/** What the server refused or could not do, in its own words. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

type Parameter = string | number | boolean | undefined | readonly string[];

/** The address of an API path such as "api/services", with its parameters; undefined and "" are left out. */
export function apiUrl(path: string, parameters: Record<string, Parameter> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  const text = query.toString();
  return new URL(text ? `${path}?${text}` : path, document.baseURI).href;
}

/** The JSON at an address. Raises ApiError with the server's message for any other answer than success. */
export async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  return answer<T>(await request(url, signal ? { signal } : {}));
}

/** A JSON object whose members come in parts, a line break between them: an object for each part, as soon as it came. */
export async function* jsonInParts(url: string, signal?: AbortSignal): AsyncGenerator<object, void> {
  const response = await request(url, signal ? { signal } : {});
  if (!response.ok) throw await refusal(response);
  const reader = (response.body ?? new Blob().stream()).pipeThrough(new TextDecoderStream()).getReader();
  let texts: string[] = [];
  let first = true;
  // The comma between two parts begins the second.
  const part = (end: string) => {
    const text = texts.join("");
    const whole = (first ? text : `{${text.slice(1)}`) + end;
    first = false;
    return JSON.parse(whole) as object;
  };
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const [head = "", ...tails] = value.split("\n");
    texts.push(head);
    for (const tail of tails) {
      yield part("}");
      texts = [tail];
    }
  }
  yield part("");
}

export async function postJson<T>(
  url: string,
  body: BodyInit,
  signal?: AbortSignal,
  more: Record<string, string> = {},
): Promise<T> {
  const headers = { "content-type": "application/json", ...more };
  return answer<T>(await request(url, { method: "POST", body, headers, ...(signal ? { signal } : {}) }));
}

async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, `cannot reach ${new URL(url).host}`);
  }
}

async function answer<T>(response: Response): Promise<T> {
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

async function refusal(response: Response): Promise<ApiError> {
  return new ApiError(response.status, messageIn(await response.text(), response));
}

/** Jaeger's envelope, v3's error object, or plain text as Zipkin has it. */
function messageIn(text: string, response: Response): string {
  try {
    const body = JSON.parse(text) as { errors?: { msg?: string }[]; error?: { message?: string } };
    return body.errors?.[0]?.msg ?? body.error?.message ?? text;
  } catch {
    return text.trim().slice(0, 500) || `${response.status} ${response.statusText}`;
  }
}
