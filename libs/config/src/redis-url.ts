/**
 * The addresses of a Redis Cluster named by one URL with a comma list of nodes, `redis+cluster://user:password@a:7000,b:7000` (`rediss+`
 * over TLS), each with its protocol and secrets; null when the URL is not of this form. Any reachable node tells of the others.
 */
export function redisNodes(url: string): readonly string[] | null {
  const match = /^(rediss?)\+cluster:\/\/(?:([^@/]*)@)?([^@/?#]+)\/?$/.exec(url);
  if (match === null) return null;
  const [, protocol = '', secrets, hosts = ''] = match;
  const nodes = hosts.split(',').map((host) => `${protocol}://${secrets === undefined ? '' : `${secrets}@`}${host.trim()}`);
  return nodes.every((node) => URL.canParse(node)) ? nodes : null;
}
