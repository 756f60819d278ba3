// The server, as functions. Whatever goes wrong is an Error whose message is a sentence for people.

/** @import {Checked, ChordSpan, Choices, FileLink, Look, Melody, Opened, Start, Take} from "./types.js" */

/** What the studio would not do: something that was asked for has to change. */
export class Refused extends Error {}

const BROKEN = "The studio stopped in the middle; try again.";
const SILENT = "The studio does not answer; see whether `melodygru studio` still runs, and start it again.";
const RESTARTED = "The studio was started anew; open the address that it printed. What you have is kept in this tab.";
const STREAM = "text/event-stream";

/** @param {Response} response @returns {Promise<Response>} */
async function checked(response) {
  if (response.ok) return response;
  let detail = "";
  try {
    detail = (await response.json()).detail;
  } catch {
    // An answer that is not ours has no sentence in it.
  }
  // An address that was good once is another studio's now.
  if (response.status === 404 && response.url.includes("/api/")) throw new Error(RESTARTED);
  if (response.status === 422 && detail) throw new Refused(detail);
  throw new Error(detail || `The studio answered ${response.status}; try again, or start it anew.`);
}

/** @param {string} path @param {RequestInit} [init] @returns {Promise<Response>} */
async function ask(path, init) {
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Error(SILENT);
  }
  return checked(response);
}

/** @param {string} path @param {unknown} values @param {AbortSignal} [signal] @param {string} [accept] */
function post(path, values, signal, accept = "application/json") {
  const headers = { "Content-Type": "application/json", Accept: accept };
  return ask(path, { method: "POST", headers, body: JSON.stringify(values), signal: signal ?? null });
}

/** @returns {Promise<Choices>} */
export async function choices() {
  return (await ask("api/choices")).json();
}

/**
 * Write melodies, and tell of every event as it is drawn.
 * @param {{model: string | null, options: Record<string, unknown>, seed: number | null, takes: number,
 *          primer?: Melody | null, feel?: string | null, render_chords?: boolean}} order
 * @param {{start: (start: Start) => void, notes: (events: [number, number, number, number][]) => void,
 *          take: (take: Take) => void}} hear
 * @param {AbortSignal} signal
 */
export async function generate(order, hear, signal) {
  await listen(await post("api/generate", order, signal, STREAM), signal, hear);
}

/**
 * Hand on the events of a stream by their names, until it says that it is done.
 * @param {Response} response @param {AbortSignal} signal @param {Record<string, (data: any) => void>} hear
 */
async function listen(response, signal, hear) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) throw new Error("This browser cannot read a stream; use a newer one.");
  let text = "";
  let finished = false;
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw signal.aborted ? error : new Error(BROKEN);
    });
    if (done) break;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const name = /^event: (.*)$/m.exec(part)?.[1];
      const data = JSON.parse(/^data: (.*)$/m.exec(part)?.[1] ?? "{}");
      if (name === "error") throw new Error(data.detail);
      if (name === "done") finished = true;
      else hear[name ?? ""]?.(data);
    }
  }
  if (!finished) throw new Error(BROKEN);
}

/**
 * Change a melody, and tell how far it is.
 * @param {"infill" | "vary"} what @param {Record<string, unknown>} order @param {import("./messages.js").Task} task
 * @returns {Promise<Take>}
 */
export async function change(what, order, { signal, at }) {
  /** @type {Take | null} */
  let made = null;
  await listen(await post(`api/${what}`, order, signal, STREAM), signal, {
    progress: ({ done }) => at(done),
    take: (take) => (made = take),
  });
  if (!made) throw new Error(BROKEN);
  return made;
}

/** What would be written, or what stands in the way. @param {Record<string, unknown>} order @param {AbortSignal} signal @returns {Promise<Checked>} */
export async function check(order, signal) {
  return (await post("api/check", order, signal)).json();
}

/** Chords that fit a melody. @param {Record<string, unknown>} order @param {AbortSignal} signal @returns {Promise<{ways: {text: string}[]}>} */
export async function harmonize(order, signal) {
  return (await post("api/harmonize", order, signal)).json();
}

/** What a groove plays around a melody. @param {Record<string, unknown>} order @returns {Promise<{lanes: import("./types.js").Lane[]}>} */
export async function around(order) {
  return (await post("api/around", order)).json();
}

/** Chords under a melody. @param {string} chords @param {Melody} melody @returns {Promise<ChordSpan[]>} */
export async function layOut(chords, { meter, bars, pickup }) {
  return (await (await post("api/chords", { chords, meter, bars, pickup })).json()).chords;
}

/** @param {string | null} model @param {Melody} melody @param {AbortSignal} signal @returns {Promise<Look>} */
export async function look(model, melody, signal) {
  return (await post("api/look", { model, melody }, signal)).json();
}

/**
 * @param {File} file @param {import("./types.js").HowRead} how @param {AbortSignal} signal
 * @returns {Promise<Opened>}
 */
export async function open(file, { track, reading }, signal) {
  const headers = { "Content-Type": "application/octet-stream" };
  const asked = new URLSearchParams({ name: file.name, track: track ?? "auto" });
  if (reading) {
    asked.set("meter", reading.meter);
    asked.set("pickup", String(reading.pickup));
  }
  return (await ask(`api/open?${asked}`, { method: "POST", headers, body: file, signal })).json();
}

/** @param {Record<string, unknown>} order @param {AbortSignal} [signal] @returns {Promise<FileLink>} */
export async function makeFile(order, signal) {
  return (await post("api/files", order, signal)).json();
}

/** Whether the server still keeps a file. @param {FileLink} file @returns {Promise<boolean>} */
export async function keeps(file) {
  try {
    return (await fetch(file.url)).ok;
  } catch {
    throw new Error(SILENT);
  }
}
