// SPDX-License-Identifier: Apache-2.0
import type { Route } from '../router.ts'

export const identityRoutes: readonly Route[] = []
