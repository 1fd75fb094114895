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
  if (!response.ok) throw new ApiError(response.status, messageIn(await response.text(), response));
  return (await response.json()) as T;
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
