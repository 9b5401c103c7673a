import { SERVICES } from './registry.ts';
import { type RunningService, serviceFolder } from './service.ts';

/** Starts one more server like a started one (`postgres-15`), with its data below `workDir`. */
export async function startAnother(name: string, workDir: string): Promise<RunningService> {
  const service = SERVICES.find((one) => `${one.name}-${one.version}` === name);
  if (service === undefined) throw new Error(`no service ${name}`);
  return service.start(serviceFolder(service), workDir);
}
