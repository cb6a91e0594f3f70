export const ISSUER = 'fastify-cobrowse'
export const TYPE = 'cobrowse+jwt'
export const JOIN_ONLY_TYPE = 'cobrowse-join+jwt'

/** Ids hold no slash, so neither form can be read as the other. */
export function audienceOf ({ id, incarnation }: { id: string, incarnation: string }, joinOnly: boolean): string {
  return joinOnly ? id : `${id}/${incarnation}`
}
