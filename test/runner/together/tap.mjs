// Stands for `tap` in a file that shares its process: loaded once for each of the files, while it is the current one.
import { current } from './current.mjs'

export default current.t
