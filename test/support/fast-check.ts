import fc from 'fast-check'
import { SEED } from './seed.js'

// Without a seed of its own fast-check would draw one for each property.
fc.configureGlobal({ seed: SEED })

export default fc
