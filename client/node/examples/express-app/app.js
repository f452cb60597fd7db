// A notes API: everybody sees and deletes their own notes, admins see all.
import express from "express";
import { requireToken } from "ostiary/express";

export function notesApp(verifier) {
  const app = express();
  const notes = new Map(); // id -> { id, owner, text }
  let nextId = 1;

  app.use(requireToken(verifier));
  app.use(express.json({ limit: "64kb" }));

  app.get("/me", (request, response) => {
    const { subject, roles, sessionId } = request.claims;
    response.json({ account: subject, roles, session: sessionId });
  });

  app.get("/notes", (request, response) => {
    const mine = ({ owner }) => owner === request.claims.subject;
    response.json([...notes.values()].filter(mine));
  });

  app.post("/notes", (request, response) => {
    const text = request.body?.text;
    if (typeof text !== "string") return response.status(400).json({ error: "no text" });
    const note = { id: nextId++, owner: request.claims.subject, text };
    notes.set(note.id, note);
    return response.status(201).json(note);
  });

  app.delete("/notes/:id", (request, response) => {
    const note = notes.get(Number(request.params.id));
    if (!note) return response.status(404).json({ error: "no such note" });
    if (note.owner !== request.claims.subject) {
      return response.status(403).json({ error: "not your note" });
    }
    notes.delete(note.id);
    return response.status(204).end();
  });

  app.get("/admin/notes", requireToken(verifier, { roles: ["admin"] }),
    (request, response) => response.json([...notes.values()]));

  return app;
}
