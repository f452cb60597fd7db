import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeBase64Url } from "../dist/esm/base64url.js";
import { parseStrictJson, toPlain } from "../dist/esm/strict_json.js";

const read = (text) => parseStrictJson(Buffer.from(text));
const refused = (text) =>
  assert.equal(read(text), undefined, JSON.stringify(String(text)));

test("JSON is read", () => {
  const text = ' {"a":[1,-2,2.5,1e3,true,null,"\\u00e9\\n\\ud83d\\ude00"],"b":{"a":{}}} \n';
  assert.deepEqual(JSON.parse(JSON.stringify(toPlain(read(text)))), JSON.parse(text));
});

test("two members of one name are refused, however escaped, at any depth", () => {
  refused('{"a":1,"a":1}');
  refused('{"sub":1,"s\\u0075b":2}');
  refused('{"a/b":1,"a\\/b":2}');
  refused('{"é":1,"\\u00e9":2}');
  refused('[{"x":[{"b":1,"b":1}]}]');
  refused('{"__proto__":1,"__proto__":2}');
  assert.ok(read('[{"a":{"b":1}},{"a":{"b":1}}]'));
});

test("a member may have any name and stays a member", () => {
  const plain = toPlain(read('{"__proto__":{"x":1},"constructor":2}'));
  assert.equal(Object.getPrototypeOf(plain), null);
  assert.deepEqual(Object.keys(plain), ["__proto__", "constructor"]);
  assert.equal({}.x, undefined);
  assert.ok(Object.isFrozen(plain["__proto__"]));
});

test("depth is bounded", () => {
  const nested = (depth) => "[".repeat(depth) + "]".repeat(depth);
  assert.ok(read(nested(32)));
  refused(nested(33));
  refused(nested(100_000));
});

test("integers are exact and numbers beyond a double are refused", () => {
  assert.deepEqual(read("[9007199254740993,18446744073709551615,-0]"),
    [9007199254740993n, 18446744073709551615n, 0]);
  for (const text of ["[1e999]", "[-1e999]"]) refused(text);
});

test("what is not JSON is refused", () => {
  for (const text of [
    "", " ", "{", "{}{}", "{} x", "{}]", "\ufeff{}", "/**/{}", '{"a":1,}', "[1,]",
    "[,1]", "{,}", '{"a"}', '{"a":}', "{'a':1}", "{a:1}", "[01]", "[+1]", "[1.]",
    "[.5]", "[1e]", "[-]", "[NaN]", "[Infinity]", '["\x01"]', '["\n"]', '["\\ud800"]',
    '["\\ud800x"]', '["\\ud800\\u0041"]', '["\\udc00"]', '["\\x41"]', '["\\u12g4"]',
    "[tru]", '"a', "[\u00a01]", "{}\0", "undefined",
  ]) refused(text);
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80]]) {
    refused(Buffer.from([0x5b, 0x22, ...bytes, 0x22, 0x5d]));
  }
});

test("base64url is read in its one canonical form", () => {
  assert.deepEqual(decodeBase64Url("-_8"), Buffer.of(0xfb, 0xff));
  assert.equal(decodeBase64Url("").length, 0);
  for (const text of ["a", "aaaaa", "AB", "AAB", "AA=", "AA==", "+/8", "A A", "AA\n", "ÄA"]) {
    assert.equal(decodeBase64Url(text), undefined, text);
  }
});
