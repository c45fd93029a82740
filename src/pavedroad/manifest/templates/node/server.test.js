// Starts the service as an instance does, and asks it.
const assert = require("node:assert");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const net = require("node:net");
const path = require("node:path");
const test = require("node:test");

test("it is healthy, says its version, and stops when told", async () => {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const port = probe.address().port;
  await new Promise((done) => probe.close(done));
  const env = { ...process.env, HOST: "127.0.0.1", PORT: String(port) };
  const service = spawn(process.execPath, [path.join(__dirname, "server.js")], { env });
  const ask = async (where) => {
    for (let turn = 0; turn < 100; turn++) {
      try {
        const answer = await fetch(`http://127.0.0.1:${port}${where}`, { headers: { connection: "close" } });
        return await answer.json();
      } catch {
        await new Promise((later) => setTimeout(later, 50));
      }
    }
    throw new Error("the service does not answer");
  };
  try {
    assert.deepStrictEqual(await ask("/healthz"), { ok: true });
    assert.strictEqual((await ask("/")).service, "@NAME@");
    service.kill("SIGTERM");
    const [status] = await once(service, "exit");
    assert.strictEqual(status, 0);
  } finally {
    service.kill("SIGKILL");
  }
});
