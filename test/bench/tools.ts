import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const onPath = (tool: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((folder) => folder !== '' && existsSync(`${folder}/${tool}`));

/**
 * Makes sure that programs are there, given with their Debian packages: installs them where it is root, else throws one
 * sentence that names what is missing.
 */
export function ensureTools(packages: Readonly<Record<string, string>>): void {
  const missing = (): readonly string[] => Object.keys(packages).filter((tool) => !onPath(tool));
  const wanted = [...new Set(missing().map((tool) => packages[tool] ?? tool))];
  if (wanted.length === 0) return;
  if (process.getuid?.() === 0 && onPath('apt-get')) {
    const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: 'ignore' } as const;
    const install = (): number | null =>
      spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...wanted], options).status;
    if (install() !== 0) {
      spawnSync('apt-get', ['update'], options);
      install();
    }
  }
  if (missing().length > 0) throw new Error(`${missing().join(', ')} missing: install ${wanted.join(' ')}`);
}
