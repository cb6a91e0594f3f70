import fc from 'fast-check'
import { SEED } from './seed.js'

// fast-check would otherwise draw a seed for each property.
fc.configureGlobal({ seed: SEED })

export default fc
