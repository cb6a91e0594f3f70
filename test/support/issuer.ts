import { createIssuer } from '../../lib/signing/issue.js'
import { readSigning } from '../../lib/signing/options.js'
import type { SigningOptions } from '../../types/signature.js'

/** Signs as a gateway with these options does. */
export const issuerWith = (signing: SigningOptions) => createIssuer(readSigning(signing, true))
