// `npm start`: installs and builds missing parts, then runs the server in this very process, so that a signal reaches
// it.
import { prepare } from '../.ci/prepare.mjs'

prepare()
await import('../dist/demo/server.js')
