// What a plan may say and this version cannot yet do: refused at the start, never discovered in the middle of the night.
import type { Plan } from './plan/plan.ts';

const MIGRATORS = ['sql', 'django'];
const RESTARTERS = ['process', 'systemd', 'supervisor'];

/** One line for each thing; empty when the plan can be run as it is. */
export function unsupported(plan: Plan): readonly string[] {
  const tool =
    plan.migrations && !MIGRATORS.includes(plan.migrations.tool)
      ? [`migrations.${plan.migrations.tool}: there is no adapter yet (there is: ${MIGRATORS.join(', ')})`]
      : [];
  const services = plan.environments.flatMap(({ name, services: list }) =>
    list
      .filter((service) => !RESTARTERS.includes(service.tool))
      .map((service) => `environments.${name}.services ${service.name}: ${service.tool} has no adapter yet (there is: ${RESTARTERS.join(', ')})`),
  );
  return [...tool, ...services];
}
