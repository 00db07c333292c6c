// The control API of the sandbox. Every address is relative: the page may lie below any prefix.

async function call(method, path, body) {
  const response = await fetch(`control/${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? response.statusText);
  return answer;
}

export const getState = () => call("GET", "state");
export const getMessages = (bot, chat) => call("GET", `messages?bot=${bot}&chat=${chat}`);
export const getCalls = () => call("GET", "calls?limit=150");
export const getViolations = () => call("GET", "violations");
export const send = (deed) => call("POST", "send", deed);
export const addPerson = (person) => call("POST", "people", person);
export const addFault = (fault) => call("POST", "faults", fault);
export const removeFault = (id) => call("DELETE", `faults/${id}`);

/** Listens to the live feed; `onReady` is called at the start and after each lost connection. */
export function listen({ onNews, onReady, onLost }) {
  const source = new EventSource("control/events");
  source.onopen = onReady;
  source.onerror = onLost;
  source.onmessage = (event) => onNews(JSON.parse(event.data));
}
