// A plan is printed, hashed, signed and kept in history: no secret may stand in it (rule 7).
import { type Path, type Remark } from './complaint.ts';
import { record } from './loose.ts';

const shapes: readonly (readonly [RegExp, string])[] = [
  // Bounded, or a long word is tried from each of its letters on.
  [/[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/@:]*:[^\s/@]+@/iu, 'an address with a password'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/u, 'a private key'],
  [/(?:^|\s)--?(?:password|passwd|token|secret)=\S/iu, 'a password as an option'],
];
const secretName = /(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY)$/iu;

/** Remarks on what looks like a secret; they never repeat it. `file` is the plan as read. */
export function secretRemarks(file: unknown): readonly Remark[] {
  return [...secretShapes(file, []), ...namedSecrets(file), ...servicesSecrets(file)];
}

function secretShapes(value: unknown, path: Path): readonly Remark[] {
  if (typeof value === 'string') {
    const found = shapes.find(([pattern]) => pattern.test(value));
    return found
      ? [
          {
            path,
            message: `holds ${found[1]}; a plan holds no secret`,
            hint: 'refer to it: { env: NAME } or { file: path } under commands.env',
          },
        ]
      : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const list = Array.isArray(value);
  return Object.entries(value).flatMap(([key, member]) =>
    secretShapes(member, [...path, list ? Number(key) : key]),
  );
}

/** Variables of a service are words of the plan: its secrets lie in the environment file. */
function servicesSecrets(file: unknown): readonly Remark[] {
  return Object.entries(record(record(file)['environments'])).flatMap(([environment, place]) => {
    const services = record(place)['services'];
    return (Array.isArray(services) ? services : []).flatMap((service: unknown, at) =>
      Object.entries(record(service)).flatMap(([tool, options]) =>
        Object.entries(record(record(options)['env'])).flatMap(([variable, value]) =>
          typeof value === 'string' && secretName.test(variable)
            ? [
                {
                  path: ['environments', environment, 'services', at, tool, 'env', variable],
                  message: `${variable} is a secret by its name; a plan holds none`,
                  hint: `name it in the environment file: services.<name>.env: { ${variable}: { env: ${variable} } }`,
                },
              ]
            : [],
        ),
      ),
    );
  });
}

function namedSecrets(file: unknown): readonly Remark[] {
  return Object.entries(record(record(record(file)['commands'])['env'])).flatMap(([variable, value]) =>
    typeof value === 'string' && secretName.test(variable)
      ? [
          {
            path: ['commands', 'env', variable],
            message: `${variable} is a secret by its name; a plan holds none`,
            hint: `refer to it: { env: ${variable} }`,
          },
        ]
      : [],
  );
}
