export { createReplayer } from './replayer.js'
export type * from '../../types/replayer.js'
