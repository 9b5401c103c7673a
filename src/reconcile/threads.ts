/**
 * Compressor threads for one artifact: two to four while the cores allow it, shared among the targets captured at the
 * same time; never more than cores (one zstd -3 thread keeps up with one dump, and memory grows with each).
 */
export function compressorThreads(cpus: number, parallelism: number): number {
  const fair = Math.floor(cpus / (2 * Math.max(1, parallelism)));
  return Math.min(cpus, Math.max(2, Math.min(4, fair)));
}
