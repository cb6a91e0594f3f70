// Lets Node.js 20 load TypeScript: `--import=./test/support/typescript.mjs`. Compiled files are cached, which saves
// each test file some seconds of tap's own compiler.
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)
