import { Type } from '@sinclair/typebox'

export const OriginsSchema = Type.Array(
  Type.String({ description: 'an origin, such as https://app.example' }), { description: 'a list of origins' }
)

/** @throws TypeError unless each origin is written as a browser sends it */
export function checkOrigins (origins: readonly string[]): void {
  origins.forEach((origin, index) => {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new TypeError(`"allowedOrigins.${index}" option must be an origin such as https://app.example`)
    }
  })
}
