/** An object, as a Map: "__proto__" is a name like any other. */
export type JsonObject = Map<string, JsonValue>;
/** Integers that a number cannot hold exactly are bigints. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonValue[]
  | JsonObject;

/** Deeper texts are refused: recursion must not follow a stranger's brackets. */
export const MAX_JSON_DEPTH = 32;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
// eslint-disable-next-line no-control-regex
const PLAIN_TEXT = /[^"\\\u0000-\u001f]*/y;
const HEX4 = /[0-9a-fA-F]{4}/y;
const ESCAPES: Record<string, string> = {
  '"': '"', "\\": "\\", "/": "/",
  b: "\b", f: "\f", n: "\n", r: "\r", t: "\t",
};

class NotJson extends Error {}

/**
 * Reads RFC 8259 JSON and nothing else. `JSON.parse` takes the last of two
 * members with one name while another reader takes the first, so a token could
 * say two things; here it is refused. So are invalid UTF-8, lone surrogates, a
 * byte-order mark and numbers beyond a double.
 *
 * @returns undefined if the text is not strict JSON.
 */
export function parseStrictJson(bytes: Uint8Array): JsonValue | undefined {
  try {
    return new Parser(UTF8.decode(bytes)).document();
  } catch (error) {
    if (error instanceof NotJson || error instanceof TypeError) return undefined;
    throw error;
  }
}

class Parser {
  private at = 0;
  private depth = 0;

  constructor(private readonly text: string) {}

  document(): JsonValue {
    const value = this.value();
    this.space();
    if (this.at !== this.text.length) throw new NotJson();
    return value;
  }

  private value(): JsonValue {
    this.space();
    switch (this.text[this.at]) {
      case "{":
        return this.nested(() => this.object());
      case "[":
        return this.nested(() => this.array());
      case '"':
        return this.string();
      case "t":
        return this.word("true", true);
      case "f":
        return this.word("false", false);
      case "n":
        return this.word("null", null);
      default:
        return this.number();
    }
  }

  private nested<T>(read: () => T): T {
    if (++this.depth > MAX_JSON_DEPTH) throw new NotJson();
    this.at++;
    const value = read();
    this.depth--;
    return value;
  }

  private object(): JsonObject {
    const members: JsonObject = new Map();
    if (this.takes("}")) return members;
    do {
      this.space();
      const name = this.string();
      if (members.has(name)) throw new NotJson();
      this.expect(":");
      members.set(name, this.value());
    } while (this.takes(","));
    this.expect("}");
    return members;
  }

  private array(): JsonValue[] {
    const elements: JsonValue[] = [];
    if (this.takes("]")) return elements;
    do elements.push(this.value());
    while (this.takes(","));
    this.expect("]");
    return elements;
  }

  private string(): string {
    if (this.text[this.at] !== '"') throw new NotJson();
    this.at++;
    let result = this.match(PLAIN_TEXT);
    while (this.text[this.at] === "\\") {
      this.at++;
      result += this.escape() + this.match(PLAIN_TEXT);
    }
    if (this.text[this.at] !== '"') throw new NotJson();
    this.at++;
    return result;
  }

  private escape(): string {
    const letter = this.text[this.at++];
    if (letter !== "u") {
      const plain = letter === undefined ? undefined : ESCAPES[letter];
      if (plain === undefined) throw new NotJson();
      return plain;
    }
    const unit = this.hex();
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    if (unit > 0xdbff || !this.text.startsWith("\\u", this.at)) {
      throw new NotJson();
    }
    this.at += 2;
    const low = this.hex();
    if (low < 0xdc00 || low > 0xdfff) throw new NotJson();
    return String.fromCharCode(unit, low);
  }

  private hex(): number {
    const digits = this.match(HEX4);
    if (digits === "") throw new NotJson();
    return parseInt(digits, 16);
  }

  private number(): number | bigint {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) throw new NotJson();
    this.at = NUMBER.lastIndex;
    const number = Number(found[0]);
    if (!Number.isFinite(number)) throw new NotJson();
    const isInteger = found[1] === undefined && found[2] === undefined;
    if (isInteger && !Number.isSafeInteger(number) && found[0].length <= 20) {
      return BigInt(found[0]);
    }
    return isInteger && number === 0 ? 0 : number;
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw new NotJson();
    this.at += word.length;
    return value;
  }

  private space(): void {
    this.match(SPACE);
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return "";
    this.at = pattern.lastIndex;
    return found[0];
  }

  private takes(letter: string): boolean {
    this.space();
    if (this.text[this.at] !== letter) return false;
    this.at++;
    return true;
  }

  private expect(letter: string): void {
    if (!this.takes(letter)) throw new NotJson();
  }
}

/** The value as plain objects without a prototype, frozen all through. */
export function toPlain(value: JsonValue): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(toPlain));
  if (!(value instanceof Map)) return value;
  const plain = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of value) plain[name] = toPlain(member);
  return Object.freeze(plain);
}
