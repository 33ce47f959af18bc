// SPDX-License-Identifier: Apache-2.0
/** The sandbox of drills: names that mark what is rehearsed, and nothing else. */
import { confusableKey } from './package-name.ts'

/** What an attack is played against is published here, and nobody else publishes here. */
export const drillScope = '@holdfast-drill'
/** What a drill lets come in from elsewhere has names here. */
export const drillUpstreamScope = '@holdfast-drill-upstream'
/** The origin of those: this registry plays it itself. */
export const drillOrigin = 'holdfast-drill'
const loginStart = 'holdfast-drill-'

/** Whether a package is part of a drill. Its name alone decides: no mark can be put on any other, and none taken away. */
export function isDrillName(name: string): boolean {
  return name.startsWith(`${drillScope}/`) || name.startsWith(`${drillUpstreamScope}/`)
}

/** Whether an account is one that a drill made. */
export function isDrillLogin(login: string): boolean {
  return login.startsWith(loginStart)
}

/** What stands for a drill (`drill-…`) in the names that it makes. */
export function drillKey(drill: string): string {
  return drill.replace(/^drill-/, '').slice(0, 8)
}

/** The user name of a part in a drill, such as `victim`. */
export function drillLogin(drill: string, part: string): string {
  return `${loginStart}${drillKey(drill)}-${part}`
}

/** Whether a hurried reader could take a scope, package, user or organisation for part of the sandbox. */
export function looksLikeDrill(text: string): boolean {
  return confusableKey(text).startsWith(confusableKey(drillScope))
}
