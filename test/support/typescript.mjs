// Lets Node.js 20 load TypeScript: `--import=./test/support/typescript.mjs`. What was compiled once is kept, which
// saves each of the test files some seconds of tap's own compiler.
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)
