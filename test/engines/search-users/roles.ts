import type { Role } from './users.ts';

/** The least that captures and restores need, as the README says. */
export interface Privileges {
  readonly cluster: readonly string[];
  /** On the indices that are captured or restored. */
  readonly indices: readonly string[];
}

export const LEAST: Readonly<Record<'export' | 'snapshot', Record<'capture' | 'restore', Privileges>>> = {
  export: {
    capture: {
      cluster: ['monitor', 'read_pipeline'],
      indices: ['read', 'view_index_metadata', 'monitor', 'maintenance'],
    },
    restore: { cluster: ['monitor'], indices: ['manage', 'read', 'write'] },
  },
  snapshot: {
    capture: {
      cluster: ['monitor', 'create_snapshot', 'cluster:admin/snapshot/delete'],
      indices: ['read', 'view_index_metadata', 'monitor', 'maintenance'],
    },
    restore: {
      cluster: ['monitor', 'monitor_snapshot', 'cluster:admin/snapshot/restore'],
      indices: ['manage', 'read', 'write'],
    },
  },
};

/** A role for indices whose names begin so; whoever restores has the same on what stands beside them meanwhile. */
export const roleOf = ({ cluster, indices }: Privileges, prefix: string, isRestoring: boolean = false): Role => ({
  cluster,
  indices: [
    {
      names: [`${prefix}*`, ...(isRestoring ? ['bkp_new_*', 'bkp_old_*', 'bkp_unfinished'] : [])],
      privileges: indices,
    },
  ],
});

/** The same without one of them, each in turn. */
export function withoutEach({ cluster, indices }: Privileges): readonly (readonly [string, Privileges])[] {
  const without = (all: readonly string[], one: string): readonly string[] => all.filter((name) => name !== one);
  return [
    ...cluster.map((one) => [one, { cluster: without(cluster, one), indices }] as const),
    ...indices.map((one) => [one, { cluster, indices: without(indices, one) }] as const),
  ];
}
