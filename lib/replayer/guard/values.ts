/** The reason for which an event is not shown. */
export class Refusal extends Error {}

export type Fields = Record<string, unknown>

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const isText = (value: unknown): value is string => typeof value === 'string'
export const isId = (value: unknown): value is number => Number.isInteger(value) && Number(value) > 0
export const isInteger = (value: unknown): value is number => Number.isInteger(value)
export const isList = (value: unknown): value is unknown[] => Array.isArray(value)

export const textOf = (value: unknown) => isText(value) ? value : ''
export const numberOf = (value: unknown) => typeof value === 'number' && Number.isFinite(value) ? value : 0
export const listOf = (value: unknown): unknown[] => isList(value) ? value : []
export const objectsOf = (value: unknown): Fields[] => listOf(value).filter(isObject)
