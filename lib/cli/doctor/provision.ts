import { createAddressCheck } from '../../common/address.js'
import { httpProvision } from '../../provision/http.js'
import { UsageError } from '../exit.js'
import { environment } from '../store.js'
import { reasonOf } from './check.js'
import { fault, notChecked, ok, warning } from './finding.js'
import type { Finding } from './finding.js'
import type { Provision } from '../../../types/provision.js'
import type { Session } from '../../../types/sessions.js'

const ASK_MS = 5000
/** More than a gateway gives, since this program has just started. */
const TIMEOUT_MS = 3000
const NODE = { id: 'doctor', incarnation: 'doctor', wssUrl: 'wss://node.invalid/ws' }
const FIX = 'see CobrowseProvisionDown in docs/runbook.md'

export interface ProvisionQuestion {
  provision: Provision
  session: Session
  host: string
  /** Credentials. */
  authorization: string | undefined
}

type Values = Partial<Record<'provision' | 'pick' | 'tenant' | 'channel' | 'user', string>>

/**
 * Prepares the request of a gateway.
 *
 * @returns undefined if no URL is given
 * @throws UsageError
 */
export function readProvision (values: Values): ProvisionQuestion | undefined {
  const url = values.provision ?? environment('PROVISION_URL')
  if (url === undefined) return undefined
  for (const [field, name] of [['tenantId', 'tenant'], ['channelId', 'channel'], ['userId', 'user']] as const) {
    if (url.includes(`{${field}}`) && values[name] === undefined) {
      throw new UsageError(`--${name} is missing: the URL of --provision contains {${field}}`)
    }
  }
  const { tenant = 'doctor', channel = 'doctor', user = 'doctor' } = values
  const authorization = environment('PROVISION_AUTHORIZATION')
  try {
    const provision = httpProvision({
      url,
      pick: values.pick ?? environment('PROVISION_PICK'),
      headers: authorization === undefined ? {} : { authorization },
      timeout: TIMEOUT_MS,
      onOutage: 'fail'
    })
    const session = { tenantId: tenant, channelId: channel, userId: user }
    return { provision, session, host: new URL(url).host, authorization }
  } catch (error) {
    throw new UsageError((error as Error).message.replace('"url" option of httpProvision', '--provision')
      .replace('"pick" option of httpProvision', '--pick')
      .replace('"headers" option of httpProvision', 'PROVISION_AUTHORIZATION'))
  }
}

/** Asks CC-Provision once, as a gateway does. */
export async function checkProvision (question: ProvisionQuestion | undefined): Promise<Finding> {
  if (question === undefined) return notChecked('provision', 'give --provision URL')
  const { provision, session, host } = question
  const startedAt = performance.now()
  try {
    const address = await provision.externalUrl(NODE, session, AbortSignal.timeout(ASK_MS))
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    return judgeAddress(String(address), `${host} answers after ${seconds} s`)
  } catch (error) {
    const reason = error instanceof Error && error.cause !== undefined ? error.cause : error
    return fault('provision', `${host} gives no external address: ${reasonOf(reason)}`, FIX)
  } finally {
    await provision.close()
  }
}

function judgeAddress (address: string, answered: string): Finding {
  const text = `${answered}: the external address is ${new URL(address).host}`
  const refused = createAddressCheck()(address)
  if (refused === undefined) return ok('provision', text)
  return warning('provision', `${text}, which ${refused}`, 'gateways hand it out only with "allowInsecure"')
}
