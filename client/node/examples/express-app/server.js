import { Verifier } from "ostiary";

import { notesApp } from "./app.js";

const verifier = await Verifier.connect({
  target: process.env.OSTIARY_TARGET ?? "127.0.0.1:50051",
  issuer: process.env.OSTIARY_ISSUER ?? "http://127.0.0.1:8080",
});
const server = notesApp(verifier).listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () =>
  console.log(`notes on http://127.0.0.1:${server.address().port}`));

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    server.close();
    await verifier.close();
  });
}
