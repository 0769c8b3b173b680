// The REST reference, drawn from the server's own OpenAPI document.

import { h, table } from "./dom.js";
import { get } from "./rest.js";

export async function reference() {
  const document = await get("/openapi.json"), groups = new Map();
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? "other";
      groups.set(tag, [...(groups.get(tag) ?? []), one(document, path, method, operation)]);
    }
  return [
    h("h1", {}, "REST reference"),
    h("p", { class: "note" }, `${document.info.title} ${document.info.version}. `, h("a", { href: "/openapi.json" }, "OpenAPI document"), ". Errors are application/problem+json."),
    [...groups].map(([tag, operations]) => h("section", {}, h("h2", {}, tag), operations)),
  ];
}

function one(document, path, method, operation) {
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  const answers = Object.entries(operation.responses ?? {}).map(([status, response]) => ({ status, means: response.description, as: Object.keys(response.content ?? {}).join(", ") }));
  return h("details", {},
    h("summary", {}, h("code", {}, `${method.toUpperCase()} ${path}`), " ", h("span", { class: "quiet" }, (operation.description ?? operation.summary ?? "").split("\n")[0])),
    operation.parameters?.length > 0 && [h("h3", {}, "Parameters"), table(operation.parameters.map(parameter => resolved(document, parameter)), {
      Name: row => h("code", {}, row.name), In: row => row.in, Type: row => kind(row.schema), Needed: row => row.required ? "yes" : "", About: row => row.description ?? row.schema?.description ?? "",
    })],
    body && [h("h3", {}, "Body"), h("pre", {}, JSON.stringify(example(document, body), null, 2))],
    h("h3", {}, "Answers"), table(answers, ["status", "means", "as"]));
}

function resolved(document, schema) {
  return schema?.$ref ? schema.$ref.slice(2).split("/").reduce((part, key) => part[key], document) : schema;
}

// The example that the schema gives; else one made of its parts.
function example(document, schema, depth = 0) {
  const known = resolved(document, schema) ?? {};
  if (known.examples?.length) return known.examples[0];
  if (known.default !== undefined) return known.default;
  if (known.properties && depth < 4) return Object.fromEntries(Object.entries(known.properties).map(([name, part]) => [name, example(document, part, depth + 1)]));
  const first = known.anyOf?.[0] ?? known.oneOf?.[0];
  return first && depth < 4 ? example(document, first, depth + 1) : kind(known);
}

function kind(schema) {
  if (!schema) return "";
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.anyOf) return schema.anyOf.map(kind).filter(name => name !== "null").join(" | ");
  return schema.type === "array" ? `[${kind(schema.items)}]` : schema.const ?? schema.type ?? schema.$ref?.split("/").at(-1) ?? "";
}
