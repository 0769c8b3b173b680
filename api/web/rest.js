// The REST interface: JSON in and out, a bearer token where the server wants one, events as they come.

const TOKEN = "gradus-token";
let leaving = new AbortController();
let asking = null;

// Whatever the view before was still waiting for is given up.
export function leave() {
  leaving.abort();
  leaving = new AbortController();
  return leaving.signal;
}

export const get = (path, query) => call("GET", path + asked(query)).then(response => response.json());
export const post = (path, body, headers) => send("POST", path, body, headers);
export const put = (path, body) => send("PUT", path, body);
export const remove = path => call("DELETE", path);

export async function send(method, path, body, headers) {
  const response = await call(method, path, JSON.stringify(body ?? {}), { "content-type": "application/json", ...headers });
  return response.status === 204 ? null : response.json();
}

// A key under which a repeated request is answered again, not done again.
export function once() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return { "Idempotency-Key": Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("") };
}

export async function call(method, path, body, headers) {
  const signal = leaving.signal;
  for (;;) {
    const token = sessionStorage.getItem(TOKEN);
    const bearer = token ? { authorization: `Bearer ${token}` } : {};
    const response = await fetch(path, { method, body, headers: { ...headers, ...bearer }, signal });
    if (response.status === 401) {
      await askForToken(token, await reason(response));
      continue;
    }
    if (!response.ok) throw Object.assign(new Error(await reason(response)), { status: response.status });
    return response;
  }
}

function asked(query) {
  const known = Object.entries(query ?? {}).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return known.length ? `?${new URLSearchParams(known)}` : "";
}

async function reason(response) {
  const body = await response.json().catch(() => ({}));
  return typeof body.detail === "string" ? body.detail : `${response.status} ${response.statusText}`;
}

// Several requests may be refused at once: they wait for one answer. A token that failed meanwhile was replaced is not asked for.
function askForToken(used, why) {
  if (sessionStorage.getItem(TOKEN) !== used) return Promise.resolve();
  asking ??= new Promise(resolve => {
    const dialog = document.getElementById("token"), input = document.getElementById("token-value");
    document.getElementById("token-why").textContent = used ? why : "";
    dialog.addEventListener("close", () => {
      if (input.value.trim()) sessionStorage.setItem(TOKEN, input.value.trim());
      input.value = "";
      asking = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}

// Server-sent events, read by fetch: EventSource could not send the token. After a break it goes on behind the last event;
// where the server has no such stream the error is thrown, and the caller polls.
export async function events(path, handle) {
  const signal = leaving.signal;
  let last = "";
  for (let failures = 0; !signal.aborted;) {
    try {
      const response = await call("GET", path, undefined, { accept: "text/event-stream", ...(last && { "last-event-id": last }) });
      if (response.status === 204) return;
      for await (const event of parsed(response.body)) {
        failures = 0;
        last = event.id || last;
        if (handle(event) === "end") return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error.status || ++failures > 5) throw error;
    }
    await pause(1000);
  }
}

async function* parsed(body) {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { event: "message", id: "", data: "" };
      for (const line of block.split(/\r?\n/)) {
        const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
        if (name === "data") event.data += (event.data && "\n") + value;
        else if (name) event[name] = value;
      }
      if (event.data) yield event;
    }
  }
}

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
export const here = () => { const signal = leaving.signal; return () => !signal.aborted; };
