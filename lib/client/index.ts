export { connect } from './connect.js'
export { CobrowseError } from './cobrowse-error.js'
export type * from '../../types/client.js'
