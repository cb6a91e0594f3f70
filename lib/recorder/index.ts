import { watchSecretFields } from './secret-fields.js'

// From the import on, since a field may show its password before the page is shared. Without a page there is none.
if (typeof document !== 'undefined') watchSecretFields()

export { createIndicator } from './indicator.js'
export { startRecorder } from './recorder.js'
export type * from '../../types/recorder.js'
