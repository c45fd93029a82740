// @NAME@: a service that answers with its version and the instance that it runs on.
const http = require("node:http");

const { version } = require("./package.json");

const server = http.createServer((request, response) => {
  const body =
    request.url === "/healthz"
      ? { ok: true }
      : { service: "@NAME@", version, instance: process.env.PAVED_INSTANCE_ID };
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body) + "\n");
});

// The platform says where to listen, and stops an instance with SIGTERM.
server.listen(Number(process.env.PORT), process.env.HOST);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
