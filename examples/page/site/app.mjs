// Loads the module, edits two documents, merges them, and shows what they agree on.

const { instance } = await WebAssembly.instantiateStreaming(fetch("local_first.wasm"), {});
const wasm = instance.exports;

/** Puts bytes into the module's memory, and returns the module's handle of them. */
function put(bytes) {
  const handle = wasm.bytes_create(bytes.length);
  new Uint8Array(wasm.memory.buffer, wasm.bytes_data(handle), bytes.length).set(bytes);
  return handle;
}

/** Returns the bytes of a handle, which is given back. */
function take(handle) {
  const bytes = new Uint8Array(wasm.memory.buffer, wasm.bytes_data(handle), wasm.bytes_length(handle)).slice();
  wasm.bytes_free(handle);
  return bytes;
}

/** Sets a field of a document. */
function set(document, field, text) {
  const handles = [field, text].map((part) => put(new TextEncoder().encode(part)));
  wasm.document_set(document, ...handles);
  handles.forEach((handle) => wasm.bytes_free(handle));
}

const [here, there] = [wasm.document_create(1n), wasm.document_create(2n)];
for (let n = 0; n < 1000; n += 1) {
  set(here, `field ${n}`, `here ${n}`);
  set(there, `field ${n + 500}`, `there ${n}`);
}
const update = put(take(wasm.document_encode(there)));
const merged = wasm.document_merge(here, update);
wasm.bytes_free(update);
if (merged !== 1) throw new Error("the documents do not merge");

document.getElementById("body").textContent = "1500 fields";
performance.mark("ready");
