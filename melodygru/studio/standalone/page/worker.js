// The worker: Python with the package's own code and the model. Pyodide's scripts stand before this one in the same file.
"use strict";

/** Where Pyodide believes that its files lie; nothing is fetched from there. */
const PLACE = "https://page.invalid/";
/** What Pyodide checks itself against; it has no packages to find. */
const LOCK = { abi_version: "2024_0", arch: "wasm32", platform: "emscripten_3_1_58", python: "3.12.7", version: "0.27.7" };
/** So that progress costs nothing: seconds between two reports. */
const PAUSE = 0.05;

/** @type {any} melodygru.studio.standalone.browser.Writer */
let writer;
/** @type {(options: object) => Promise<any>} */
const startPython = Reflect.get(self, "loadPyodide");

/** @param {Record<string, ArrayBuffer>} files @param {string} name */
async function start(files, name) {
  /** @type {Record<string, () => Response>} */
  const given = {
    "pyodide.asm.wasm": () => new Response(files["python.wasm"], { headers: { "content-type": "application/wasm" } }),
    "python_stdlib.zip": () => new Response(files["library.zip"]),
    "pyodide-lock.json": () => new Response(JSON.stringify({ info: LOCK, packages: {} })),
  };
  self.fetch = async (url) => {
    const file = given[String(url).replace(PLACE, "")];
    if (!file) throw new Error(`This page has no ${url}.`);
    return file();
  };
  // The memory that Python works in, for the product of matrices.
  let memory;
  const instantiate = WebAssembly.instantiateStreaming;
  WebAssembly.instantiateStreaming = (source, imports) => {
    memory ??= imports?.env?.memory;
    return instantiate.call(WebAssembly, source, imports);
  };
  const python = await startPython({ indexURL: PLACE });
  python.unpackArchive(files["numpy.whl"], "wheel");
  python.unpackArchive(files["code.zip"], "zip", { extractDir: "/code" });
  python.FS.writeFile("/model", new Uint8Array(files.model));
  memory ??= python._module.wasmMemory;
  let product;
  try {
    const { instance } = await WebAssembly.instantiate(files["product.wasm"], { page: { memory } });
    product = instance.exports.product;
  } catch {
    // Without vectors NumPy's own product does it, more slowly.
  }
  const begin = python.runPython(`
import sys
sys.path.insert(0, "/code")
from melodygru.studio.standalone import tensors
sys.modules["safetensors"] = tensors
from melodygru.studio.standalone.browser import Writer
Writer
`);
  writer = begin("/model", name, product);
}

/** What people can read of an error of Python's that nobody foresaw. @param {unknown} error */
function last(error) {
  return String(error instanceof Error ? error.message : error).trim().split("\n").at(-1);
}

self.onmessage = async ({ data: { call, kind, files, name, asked } }) => {
  try {
    if (kind === "start") {
      await start(files, name);
      return self.postMessage({ call });
    }
    if (kind === "midi") {
      const bytes = writer.midi(), answer = bytes.toJs();
      bytes.destroy();
      return self.postMessage({ call, answer });
    }
    let told = 0;
    const progress = (/** @type {number} */ share) => {
      const now = performance.now() / 1000;
      if (now - told > PAUSE) self.postMessage({ call, share });
      if (now - told > PAUSE) told = now;
    };
    const { problem, ...answer } = JSON.parse(writer.write(asked, progress));
    self.postMessage(problem === undefined ? { call, answer } : { call, problem });
  } catch (error) {
    console.error(error);
    self.postMessage({ call, problem: `Something went wrong that nobody foresaw (${last(error)}); reload the page.` });
  }
};
